/* The table's side of the serial protocol (docs/protocol.md): bytes in, commands and requests for the guard out, and
 * telemetry and answers back. Portable; it allocates nothing, waits for nothing and knows no hardware.
 *
 * Once a millisecond the caller does this:
 *
 *     table_link_byte(link, byte, now_ms);                for each byte that came
 *     table_link_take(link, &command, &request);          what the guard is told
 *     guard_step(...);
 *     table_link_settle(link, &out);                      what the guard said
 *     length = table_link_next(link, &pins, &out, now_ms, wire);   while the transmitter has room for a frame;
 *                                                                  of telemetry the guard is told by guard_sent
 */
#ifndef INVERSION_TABLE_TABLE_LINK_H
#define INVERSION_TABLE_TABLE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "guard.h"
#include "panel_lights.h"

#define TABLE_LINK_VERSION 2u

/* Types: bit 7 tells the table's frames from the host's, so that neither takes its own echo for the other. */
#define TABLE_LINK_HELLO 0x01u
#define TABLE_LINK_COMMAND 0x02u
#define TABLE_LINK_ARM 0x03u
#define TABLE_LINK_DISARM 0x04u
#define TABLE_LINK_CONFIGURE 0x05u
#define TABLE_LINK_HELLO_REPLY 0x81u
#define TABLE_LINK_TELEMETRY 0x82u
#define TABLE_LINK_ANSWER 0x83u

/* How old the telemetry that a frame echoes may be; how often telemetry goes out; how close two frames may follow when
 * an edge asks for one at once (one takes 3.7 ms at 115,200 baud). */
#define TABLE_LINK_FRESH_MS 150u
#define TABLE_LINK_PERIOD_MS 10u
#define TABLE_LINK_EDGE_MS 3u
/* Sent frames whose time is remembered: more than fit into TABLE_LINK_FRESH_MS. A power of two. */
#define TABLE_LINK_SENT 64u
/* HELLOs are taken this far apart at least. */
#define TABLE_LINK_HELLO_MS 50u
/* The number of a stop that a person asked for. */
#define TABLE_LINK_PERSON 99u
#define TABLE_LINK_HAZARDS 36u
/* Lamps of a panel, and the lowest pitch of its buzzer, in tens of hertz. */
#define TABLE_LINK_LAMPS 0x7FFFu
#define TABLE_LINK_LOWEST_BUZZER 15u
/* The demand of a command that stands for frames that came and were refused: the guard takes none such, but knows that
 * somebody is there (H18, not H17). */
#define TABLE_LINK_NO_DEMAND 0xFFu

/* Why a frame was not taken, in the order in which it is looked at. */
enum table_link_reason {
    TABLE_LINK_BAD_COBS,
    TABLE_LINK_BAD_LENGTH,
    TABLE_LINK_BAD_CRC,
    TABLE_LINK_BAD_TYPE,
    TABLE_LINK_BAD_VERSION,
    TABLE_LINK_BAD_SEQUENCE,
    TABLE_LINK_BAD_VALUE,
    TABLE_LINK_IS_STALE,
    TABLE_LINK_IS_BUSY,
    TABLE_LINK_REASONS
};

/* What the table says of itself in HELLO_REPLY. */
typedef struct {
    uint8_t firmware[3];  /* major, minor, patch */
    uint8_t reset_cause;  /* 0 unknown, 1 power-on, 2 the reset line, 3 brown-out, 4 watchdog */
    uint16_t boot_count;  /* one more at every boot */
} table_link_identity_t;

/* A request that waits for the guard, or the answer to one that waits for the transmitter. */
typedef struct {
    uint8_t type; /* 0: none */
    uint16_t sequence;
    uint32_t content; /* CRC of what it asks for */
    bool accepted;
    uint8_t refusals[5];
} table_link_question_t;

typedef struct {
    frame_parser_t parser;
    table_link_identity_t identity;
    guard_command_t command;
    guard_request_t request;
    panel_signals_t panel; /* of the last command; how long it counts is decided in panel_lights.c */
    table_link_question_t asked;
    table_link_question_t answer;
    uint8_t accepted_type; /* of the last request that was accepted, for its repetitions */
    uint32_t accepted_content;
    uint32_t session_id; /* as the guard said last */
    uint32_t config_hash;
    uint32_t nonce; /* of the last HELLO */
    uint32_t hello_ms;
    uint32_t telemetry_ms;
    uint32_t sent_ms[TABLE_LINK_SENT];
    uint16_t sent;           /* frames sent since the last HELLO, up to TABLE_LINK_SENT */
    uint16_t next_sequence;  /* of the next frame that we send */
    uint16_t sent_sequence;  /* of the last frame that we sent */
    uint16_t newest;         /* sequence number of the last frame taken */
    uint16_t command_sequence;
    uint16_t rejected[TABLE_LINK_REASONS]; /* saturating */
    uint8_t rejected_in_all;               /* goes round */
    uint8_t sent_type;
    bool heard; /* something came and was refused since the guard was told last */
    bool greeted;
    bool open; /* a HELLO of our version came */
    bool reply_due;
    bool edge;
    bool edge_told; /* the last telemetry told of an edge */
    bool taken; /* the guard has seen the request */
    bool telemetry_sent;
} table_link_t;

void table_link_begin(table_link_t *link, const table_link_identity_t *identity);
void table_link_byte(table_link_t *link, uint8_t byte, uint32_t now_ms);

/* The newest command, `fresh` if it came since the last call, and the request that came since then. If frames came and
 * none was taken, the command is empty, fresh, and its demand TABLE_LINK_NO_DEMAND. */
void table_link_take(table_link_t *link, guard_command_t *command, guard_request_t *request);

/* Takes in what the guard said to what was taken. */
void table_link_settle(table_link_t *link, const guard_out_t *out);

/* Writes the next frame that is due to `wire` (room for FRAME_WIRE_LARGEST) and returns its length, 0 if none is. What
 * it was is in `sent_type` and `sent_sequence`. */
uint8_t table_link_next(table_link_t *link, const guard_pins_t *pins, const guard_out_t *out, uint32_t now_ms,
                        uint8_t *wire);

#endif
