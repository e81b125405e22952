/* libFuzzer on the frame parser and the table's side of the link.
 *
 * The first byte of an input chooses: odd, and the rest comes over the wire as it is; even, and the rest is cut into
 * frames whose check sums are right, so that what lies behind the check sum is reached too.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "table_link.h"

#define NEVER(condition)   \
    do {                   \
        if (condition) {   \
            __builtin_trap(); \
        }                  \
    } while (0)

static const guard_pins_t PINS;

/* Every frame that the parser takes is one that we would make: so nothing is taken twice, written in another way. */
static void check_frame(const uint8_t *wire, size_t length, const frame_parser_t *parser) {
    uint8_t again[FRAME_WIRE_LARGEST];
    NEVER(parser->length < FRAME_OVERHEAD || parser->length > FRAME_LARGEST);
    const uint16_t sequence = (uint16_t)(parser->bytes[1] | (parser->bytes[2] << 8));
    const uint8_t body = (uint8_t)(parser->length - FRAME_OVERHEAD);
    const uint8_t made = frame_make(again, parser->bytes[0], sequence, parser->bytes + FRAME_BODY, body);
    NEVER(made == 0u || made > length + 1u || memcmp(again, wire + length + 1u - made, made) != 0);
}

static void check_command(const guard_command_t *command) {
    if (command->fresh && command->demand != TABLE_LINK_NO_DEMAND) {
        NEVER(command->demand > GUARD_CUT);
        NEVER(command->stop_cause > TABLE_LINK_HAZARDS && command->stop_cause != TABLE_LINK_PERSON);
    }
}

/* Bytes into parser and link, a millisecond for each 16 of them, answers taken away. */
static void on_the_wire(table_link_t *link, const uint8_t *data, size_t size) {
    frame_parser_t parser;
    guard_out_t out = {0};
    uint32_t now_ms = 1000;
    frame_begin(&parser);
    for (size_t at = 0; at < size; at++) {
        if (frame_take(&parser, data[at]) == FRAME_READY) {
            check_frame(data, at, &parser);
        }
        table_link_byte(link, data[at], now_ms);
        if (at % 16u == 15u || at + 1u == size) {
            guard_command_t command;
            guard_request_t request;
            uint8_t wire[FRAME_WIRE_LARGEST];
            table_link_take(link, &command, &request);
            check_command(&command);
            NEVER(link->panel.lamps > TABLE_LINK_LAMPS || link->panel.alarm > GUARD_HIGH);
            NEVER(link->panel.buzzer != 0u && link->panel.buzzer < TABLE_LINK_LOWEST_BUZZER);
            NEVER(request.arm + request.disarm + request.configure > 1);
            NEVER(request.arm && request.arming.session_id == 0u);
            NEVER(request.configure && request.config.hash == 0u);
            out.answer = (uint8_t)(data[at] % 3u);
            out.edge = data[at] == 5u;
            out.session_id = request.arm ? request.arming.session_id : out.session_id;
            table_link_settle(link, &out);
            now_ms++;
            for (uint8_t made; (made = table_link_next(link, &PINS, &out, now_ms, wire)) != 0u;) {
                NEVER(made > FRAME_WIRE_LARGEST || wire[made - 1u] != 0u || memchr(wire, 0, made - 1u) != NULL);
            }
        }
    }
}

/* Whatever came before: after a zero a whole frame is taken. */
static void check_recovery(const uint8_t *data, size_t size) {
    static const uint8_t BODY[5] = {TABLE_LINK_VERSION, 0, 1, 0, 2};
    uint8_t wire[FRAME_WIRE_LARGEST];
    frame_parser_t parser;
    frame_result_t last = FRAME_NONE;
    frame_begin(&parser);
    for (size_t at = 0; at < size; at++) {
        (void)frame_take(&parser, data[at]);
    }
    (void)frame_take(&parser, 0);
    const uint8_t made = frame_make(wire, TABLE_LINK_HELLO, 7, BODY, sizeof BODY);
    for (uint8_t at = 0; at < made; at++) {
        last = frame_take(&parser, wire[at]);
    }
    NEVER(last != FRAME_READY || memcmp(parser.bytes + FRAME_BODY, BODY, sizeof BODY) != 0);
}

static void as_frames(table_link_t *link, const uint8_t *data, size_t size) {
    uint8_t wire[FRAME_WIRE_LARGEST];
    while (size >= 4u) {
        size_t body = data[0] % (FRAME_BODY_LARGEST + 1u);
        if (body > size - 4u) {
            body = size - 4u;
        }
        const uint8_t made =
            frame_make(wire, data[1], (uint16_t)(data[2] | (data[3] << 8)), data + 4, (uint8_t)body);
        on_the_wire(link, wire, made);
        data += 4u + body;
        size -= 4u + body;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const table_link_identity_t identity = {{1, 0, 0}, 1, 1};
    table_link_t link;
    if (size == 0u) {
        return 0;
    }
    table_link_begin(&link, &identity);
    if ((data[0] & 1u) != 0u) {
        on_the_wire(&link, data + 1, size - 1u);
        check_recovery(data + 1, size - 1u);
    } else {
        /* An open link, so that a handshake need not be guessed. */
        link.open = (data[0] & 2u) != 0u;
        as_frames(&link, data + 1, size - 1u);
    }
    return 0;
}
