/* Frames on the serial line; told in frame.h. */
#include "frame.h"

#define CRC_START 0xFFFFFFFFu
/* What the register holds after a whole frame, its own check sum included. */
#define CRC_GOOD 0xDEBB20E3u

/* Half a byte at a time: 64 bytes of table instead of 1,024, and twice two steps a byte are quick enough. */
static const uint32_t CRC_OF[16] = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

static uint32_t crc_of(uint32_t crc, uint8_t byte) {
    crc = CRC_OF[(crc ^ byte) & 0x0Fu] ^ (crc >> 4);
    return CRC_OF[(crc ^ ((uint32_t)byte >> 4)) & 0x0Fu] ^ (crc >> 4);
}

uint32_t frame_crc32(const uint8_t *bytes, uint8_t length) {
    uint32_t crc = CRC_START;
    for (uint8_t i = 0; i < length; i++) {
        crc = crc_of(crc, bytes[i]);
    }
    return crc ^ CRC_START;
}

void frame_begin(frame_parser_t *parser) {
    parser->length = 0;
    parser->left = 0;
    parser->inside = false;
    parser->ended = false;
    parser->too_long = false;
    parser->crc = CRC_START;
}

static void append(frame_parser_t *parser, uint8_t byte) {
    if (parser->length < FRAME_LARGEST) {
        parser->bytes[parser->length] = byte;
        parser->length++;
        parser->crc = crc_of(parser->crc, byte);
    } else {
        parser->too_long = true;
    }
}

static frame_result_t end(frame_parser_t *parser) {
    if (!parser->inside) {
        return FRAME_NONE;
    }
    frame_result_t result = FRAME_READY;
    if (parser->too_long || (parser->left == 0 && parser->length < FRAME_OVERHEAD)) {
        result = FRAME_BAD_LENGTH;
    } else if (parser->left != 0) {
        result = FRAME_BAD_COBS;
    } else if (parser->crc != CRC_GOOD) {
        result = FRAME_BAD_CRC;
    }
    parser->ended = true;
    return result;
}

frame_result_t frame_take(frame_parser_t *parser, uint8_t byte) {
    if (parser->ended) {
        frame_begin(parser);
    }
    if (byte == 0u) {
        return end(parser);
    }
    if (parser->left != 0u) {
        parser->left--;
        append(parser, byte);
        return FRAME_NONE;
    }
    if (parser->inside) {
        append(parser, 0u); /* every block but the last ends with the zero that it replaced */
    }
    parser->inside = true;
    parser->left = (uint8_t)(byte - 1u);
    return FRAME_NONE;
}

uint8_t frame_make(uint8_t *wire, uint8_t type, uint16_t sequence, const uint8_t *body, uint8_t length) {
    if (length > FRAME_BODY_LARGEST) {
        return 0;
    }
    uint32_t crc = CRC_START;
    uint8_t code_at = 0;
    uint8_t at = 1;
    const uint8_t total = (uint8_t)(length + FRAME_OVERHEAD);
    const uint8_t head[FRAME_BODY] = {type, (uint8_t)(sequence & 0xFFu), (uint8_t)(sequence >> 8)};
    for (uint8_t i = 0; i < total; i++) {
        uint8_t byte;
        if (i < FRAME_BODY) {
            byte = head[i];
        } else if (i < FRAME_BODY + length) {
            byte = body[i - FRAME_BODY];
        } else {
            byte = (uint8_t)((crc ^ CRC_START) >> (8u * (i - FRAME_BODY - length)));
        }
        if (i < FRAME_BODY + length) {
            crc = crc_of(crc, byte);
        }
        if (byte == 0u) {
            wire[code_at] = (uint8_t)(at - code_at);
            code_at = at;
        } else {
            wire[at] = byte;
        }
        at++;
    }
    wire[code_at] = (uint8_t)(at - code_at);
    wire[at] = 0u;
    return (uint8_t)(at + 1u);
}
