/* The guard on a computer: a shared library for the simulated table. Not part of the firmware; loops and memory are
 * allowed here. One call runs the guard for some milliseconds on unchanging pins.
 */
#include <stdlib.h>

#include "host.h"

void guard_host_pins(guard_pins_t *pins, int32_t angle_a_cdeg, int32_t angle_b_cdeg, int32_t current_ma,
                     uint32_t buttons, uint32_t switches) {
    pins->angle_a_cdeg = (int16_t)angle_a_cdeg;
    pins->angle_b_cdeg = (int16_t)angle_b_cdeg;
    pins->current_ma = (uint16_t)current_ma;
    pins->buttons = (uint16_t)buttons;
    pins->strap_left = (uint8_t)(switches & 3u);
    pins->strap_right = (uint8_t)((switches >> 2) & 3u);
    pins->estop = (uint8_t)((switches >> 4) & 3u);
    pins->patient_open = (switches & 0x040u) != 0u;
    pins->level_switch_below = (switches & 0x080u) != 0u;
    pins->end_down = (switches & 0x100u) != 0u;
    pins->end_up = (switches & 0x200u) != 0u;
    pins->mains = (switches & 0x400u) != 0u;
    pins->battery = (switches & 0x800u) != 0u;
    pins->drive_fault = (switches & 0x1000u) != 0u;
    pins->supply_gone = (switches & 0x2000u) != 0u;
}

guard_host_t *guard_host_new(void) { return calloc(1, sizeof(guard_host_t)); }

void guard_host_free(guard_host_t *host) { free(host); }

guard_command_t *guard_host_command(guard_host_t *host) { return &host->command; }

guard_request_t *guard_host_request(guard_host_t *host) { return &host->request; }

guard_out_t *guard_host_out(guard_host_t *host) { return &host->out; }

int16_t *guard_host_applied(guard_host_t *host) { return host->applied; }

panel_signals_t *guard_host_panel(guard_host_t *host) { return &host->panel; }

panel_lights_t *guard_host_lights(guard_host_t *host) { return &host->lights; }

/* All that a guard is, for copies of a moment. */
guard_t *guard_host_state(guard_host_t *host) { return &host->guard; }

uint32_t guard_host_size(void) { return (uint32_t)sizeof(guard_t); }

/* Boot, or a reset of the guard. */
void guard_host_boot(guard_host_t *host, int32_t angle_a_cdeg, int32_t angle_b_cdeg, int32_t current_ma,
                     uint32_t buttons, uint32_t switches) {
    guard_host_pins(&host->pins, angle_a_cdeg, angle_b_cdeg, current_ma, buttons, switches);
    host->command = (guard_command_t){0};
    host->request = (guard_request_t){0};
    host->out = (guard_out_t){0};
    host->panel = (panel_signals_t){0};
    panel_lights_init(&host->lights);
    guard_init(&host->guard, &host->pins);
}

bool guard_host_restore(guard_host_t *host, const guard_config_t *kept) { return guard_restore(&host->guard, kept); }

void guard_host_sent(guard_host_t *host, uint32_t sequence) { guard_sent(&host->guard, (uint16_t)sequence); }

/* Run for `ms` milliseconds. The command and the requests that were set arrive in the first of them; the set-point of
 * each is in `applied`. True if any of them had an edge to tell. Lamps and buzzer take a run in one step, or in few: a
 * flash or a pulse begins late by no more than that. */
bool guard_host_run(guard_host_t *host, int32_t ms, int32_t angle_a_cdeg, int32_t angle_b_cdeg, int32_t current_ma,
                    uint32_t buttons, uint32_t switches) {
    bool edge = false;
    guard_host_pins(&host->pins, angle_a_cdeg, angle_b_cdeg, current_ma, buttons, switches);
    for (int32_t i = 0; i < ms && i < GUARD_HOST_MOST; i++) {
        guard_step(&host->guard, &host->pins, &host->command, &host->request, &host->out);
        host->command.fresh = false;
        host->request.arm = host->request.disarm = host->request.configure = false;
        host->applied[i] = host->out.applied_cdeg_s;
        edge = edge || host->out.edge;
    }
    for (int32_t left = ms < GUARD_HOST_MOST ? ms : GUARD_HOST_MOST; left > 0; left -= (int32_t)PANEL_MOST_MS) {
        const uint8_t step_ms = (uint8_t)(left < (int32_t)PANEL_MOST_MS ? left : (int32_t)PANEL_MOST_MS);
        panel_lights_step(&host->lights, &host->guard, &host->out, &host->panel, step_ms);
    }
    return edge;
}
