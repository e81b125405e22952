/* Frames on the serial line: COBS, CRC-32, and a parser that takes one byte at a time.
 *
 * On the wire a frame is COBS(type u8, sequence u16, body, crc32 u32) followed by a zero byte; numbers are
 * little-endian, and the check sum is the common CRC-32 (that of zlib) over all before it. docs/protocol.md tells it
 * whole. Nothing here allocates, waits or knows what the frames mean.
 */
#ifndef INVERSION_TABLE_FRAME_H
#define INVERSION_TABLE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* Type, sequence number and check sum. */
#define FRAME_OVERHEAD 7u
/* The longest frame before COBS; longer ones are refused. */
#define FRAME_LARGEST 56u
/* The longest frame on the wire: one code byte, one zero. */
#define FRAME_WIRE_LARGEST (FRAME_LARGEST + 2u)
#define FRAME_BODY_LARGEST (FRAME_LARGEST - FRAME_OVERHEAD)
/* Where the body begins. */
#define FRAME_BODY 3u

typedef enum { FRAME_NONE, FRAME_READY, FRAME_BAD_COBS, FRAME_BAD_LENGTH, FRAME_BAD_CRC } frame_result_t;

/* After FRAME_READY `bytes` holds `length` bytes, type first, check sum last, until the next byte is taken. */
typedef struct {
    uint8_t bytes[FRAME_LARGEST];
    uint8_t length;
    uint8_t left;    /* bytes of the present COBS block still to come */
    bool inside;     /* a code byte was seen since the last zero */
    bool ended;      /* the frame in `bytes` is whole; the next byte begins another */
    bool too_long;
    uint32_t crc;
} frame_parser_t;

void frame_begin(frame_parser_t *parser);

/* Takes one byte. Tells of a frame, good or bad, at its closing zero; zeros between frames say nothing. */
frame_result_t frame_take(frame_parser_t *parser, uint8_t byte);

/* Writes a whole frame with `length` bytes of body to `wire` (room for FRAME_WIRE_LARGEST) and returns how many bytes
 * that are; 0, and nothing written, where the body is longer than FRAME_BODY_LARGEST. */
uint8_t frame_make(uint8_t *wire, uint8_t type, uint16_t sequence, const uint8_t *body, uint8_t length);

/* The CRC-32 of some bytes, as zlib computes it. */
uint32_t frame_crc32(const uint8_t *bytes, uint8_t length);

#endif
