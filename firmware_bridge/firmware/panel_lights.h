/* What the panel's lamps show and its buzzer sounds now: the host's signals, and over them the guard's own alarm.
 *
 * Who lives speaks: while a live host shows an alarm that is as urgent as the guard's, its lamps and sounds pass as they
 * are. The guard shows its own alarm where the host's is less urgent, where the host is silent, and where the host says
 * that it shows one and does not. So no host can mute the guard or hide its lamp, and nothing of a host outlives its
 * lease. Pure over a struct, loop-free, integers.
 */
#ifndef INVERSION_TABLE_PANEL_LIGHTS_H
#define INVERSION_TABLE_PANEL_LIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"

/* Lamps that the guard lights by itself; the same bits as in safety/signals.py. */
#define PANEL_RED 0x0001u
#define PANEL_YELLOW 0x0002u
#define PANEL_CYAN 0x0004u

/* Flashes, lit for their first half: 2 Hz and 0.6 Hz, where IEC 60601-1-8 asks for 1.4 to 2.8 and 0.4 to 0.8 Hz. A low
 * alarm is steady. */
#define PANEL_RED_MS 500u
#define PANEL_YELLOW_MS 1666u
/* How long no alarm lamp of a host may be lit that says that it shows one: 0.4 Hz, lit for a fifth of it. */
#define PANEL_DARK_MS 2000u

/* Bursts, a bit for each 100 ms, first bit first: ten pulses of 100 ms, and three of 200 ms, spaced as IEC 60601-1-8
 * spaces them; then silence up to the period. A low alarm has none. */
#define PANEL_PULSE_MS 100u
#define PANEL_HIGH_BURST UINT32_C(0x05150515)
#define PANEL_HIGH_MS 7000u
#define PANEL_HIGH_GAP_MS 4300u
#define PANEL_MEDIUM_BURST UINT32_C(0x00000333)
#define PANEL_MEDIUM_MS 11000u
#define PANEL_MEDIUM_GAP_MS 10000u
/* A live host has so long to sound for itself before the guard does. */
#define PANEL_GRACE_MS 100u
/* A live host's pauses may be so much longer than the guard's own before it is found silent: it has ticks. */
#define PANEL_PATIENCE_MS 500u

/* The tone before and during a return: so long, whenever nothing else was heard for the gap. */
#define PANEL_MOTION_MS 200u
#define PANEL_MOTION_GAP_MS 1000u

/* Pitches, in tens of hertz. */
#define PANEL_HIGH_PITCH 80u
#define PANEL_MEDIUM_PITCH 60u
#define PANEL_MOTION_PITCH 44u

/* The longest step, in milliseconds. */
#define PANEL_MOST_MS 250u

/* The host's lamps and sounds, as its last command had them. */
typedef struct {
    uint16_t lamps; /* bits as in safety/signals.py, lit now */
    uint8_t buzzer; /* tens of hertz, 0: silent now */
    uint8_t alarm;  /* enum guard_alarm: the priority that these lamps and sounds stand for */
    bool tone;      /* they are the tone before and during a motion */
} panel_signals_t;

typedef struct {
    uint64_t heard;      /* the guard's causes that were there when the sound was paused */
    uint16_t lamps;      /* lit now */
    uint16_t pause_ms;   /* of the guard's sound, at the last step */
    uint16_t dark_ms;    /* since the host lit the lamp of the alarm that it says it shows */
    uint16_t unheard_ms; /* since the host sounded */
    uint16_t quiet_ms;   /* since the buzzer sounded */
    uint16_t flash_ms;   /* into the guard's own flash */
    uint16_t burst_ms;   /* into its own burst */
    uint8_t motion_ms;   /* left of its own tone */
    uint8_t flash;       /* enum guard_alarm: whose flash is under way, and whose burst */
    uint8_t burst;
    uint8_t buzzer; /* sounds now: tens of hertz, 0: silent */
} panel_lights_t;

/* Begin: dark and silent. */
void panel_lights_init(panel_lights_t *lights);

/* Let `ms` (1 to PANEL_MOST_MS) pass: `lamps` and `buzzer` are what is shown and heard at their end. `guard` and `out`
 * are the guard's after its step. */
void panel_lights_step(panel_lights_t *lights, const guard_t *guard, const guard_out_t *out,
                       const panel_signals_t *host, uint8_t ms);

#endif
