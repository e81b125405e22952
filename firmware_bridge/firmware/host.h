/* What the files that run the guard on a computer share. Not part of the firmware. */
#ifndef INVERSION_TABLE_HOST_H
#define INVERSION_TABLE_HOST_H

#include "guard.h"
#include "panel_lights.h"

/* The longest run in one call. */
#define GUARD_HOST_MOST 1000

typedef struct {
    guard_t guard;
    guard_pins_t pins;
    guard_command_t command;
    guard_request_t request;
    guard_out_t out;
    panel_signals_t panel; /* what the host would show and sound */
    panel_lights_t lights;
    int16_t applied[GUARD_HOST_MOST];
} guard_host_t;

/* Bits of `switches`: two each for straps and e-stop (enum guard_contacts), then one each. */
void guard_host_pins(guard_pins_t *pins, int32_t angle_a_cdeg, int32_t angle_b_cdeg, int32_t current_ma,
                     uint32_t buttons, uint32_t switches);
void guard_host_boot(guard_host_t *host, int32_t angle_a_cdeg, int32_t angle_b_cdeg, int32_t current_ma,
                     uint32_t buttons, uint32_t switches);

#endif
