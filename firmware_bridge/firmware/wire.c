/* All of the microcontroller but its pins, on a computer: the guard behind the table's side of the serial link, a
 * millisecond a call, as main.c runs them. For the simulated table behind a wire; not part of the firmware.
 */
#include <stdlib.h>

#include "host.h"
#include "table_link.h"

/* What the transmitter moves in a millisecond, in thousandths of a byte: 115,200 baud, ten bits a byte. */
#define WIRE_SPEED 11520
#define WIRE_BYTE 1000

typedef struct {
    guard_host_t host; /* first, so that whoever knows a guard_host_t may be given a wire_t */
    table_link_t link;
    uint32_t now_ms; /* the sample clock */
    int32_t owed;    /* thousandths of a byte that the transmitter still has to move */
} wire_t;

wire_t *wire_new(void) { return calloc(1, sizeof(wire_t)); }

void wire_free(wire_t *wire) { free(wire); }

uint32_t wire_size(void) { return (uint32_t)sizeof(wire_t); }

uint32_t wire_now(const wire_t *wire) { return wire->now_ms; }

uint8_t wire_rejected(const wire_t *wire) { return wire->link.rejected_in_all; }

/* Boot, or a reset: the sample clock begins at 0. Firmware 0.0.0 says that this is no microcontroller. */
void wire_boot(wire_t *wire, int32_t angle_a_cdeg, int32_t angle_b_cdeg, int32_t current_ma, uint32_t buttons,
               uint32_t switches, uint8_t reset_cause, uint16_t boot_count) {
    const table_link_identity_t identity = {
        .firmware = {0u, 0u, 0u}, .reset_cause = reset_cause, .boot_count = boot_count};
    guard_host_boot(&wire->host, angle_a_cdeg, angle_b_cdeg, current_ma, buttons, switches);
    table_link_begin(&wire->link, &identity);
    wire->now_ms = 0u;
    wire->owed = 0;
}

/* Take in what came over the line. */
void wire_hear(wire_t *wire, const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0u; i < count; i++) {
        table_link_byte(&wire->link, bytes[i], wire->now_ms);
    }
}

/* Run for a millisecond. What is to be sent is written to `sent`, room for one frame, and its length returned; `edge`
 * says whether something is to be told at once. */
uint32_t wire_run(wire_t *wire, int32_t angle_a_cdeg, int32_t angle_b_cdeg, int32_t current_ma, uint32_t buttons,
                  uint32_t switches, uint8_t *sent, bool *edge) {
    guard_host_t *host = &wire->host;
    table_link_t *link = &wire->link;
    uint32_t length = 0u;
    wire->now_ms++;
    guard_host_pins(&host->pins, angle_a_cdeg, angle_b_cdeg, current_ma, buttons, switches);
    table_link_take(link, &host->command, &host->request);
    guard_step(&host->guard, &host->pins, &host->command, &host->request, &host->out);
    host->applied[0] = host->out.applied_cdeg_s;
    panel_lights_step(&host->lights, &host->guard, &host->out, &link->panel, 1u);
    table_link_settle(link, &host->out);
    wire->owed = wire->owed > WIRE_SPEED ? wire->owed - WIRE_SPEED : 0;
    /* A frame is begun when the one before has left. */
    if (wire->owed == 0) {
        length = table_link_next(link, &host->pins, &host->out, wire->now_ms, sent);
        wire->owed = (int32_t)length * WIRE_BYTE;
        if (length != 0u && link->sent_type == TABLE_LINK_TELEMETRY) {
            guard_sent(&host->guard, link->sent_sequence);
        }
    }
    *edge = host->out.edge;
    return length;
}
