/* What the panel shows and sounds; told in panel_lights.h. */
#include "panel_lights.h"

static uint16_t later(uint16_t count_ms, uint8_t ms) {
    return UINT16_MAX - count_ms >= ms ? (uint16_t)(count_ms + ms) : UINT16_MAX;
}

static uint16_t round_and_on(uint16_t phase_ms, uint8_t ms, uint16_t period_ms) {
    const uint16_t next_ms = (uint16_t)(phase_ms + ms);
    return next_ms >= period_ms ? (uint16_t)(next_ms - period_ms) : next_ms;
}

/* The lamps by which a host may show an alarm; a low one may be cyan or yellow. */
static uint16_t colours_of(uint8_t alarm) {
    if (alarm == GUARD_HIGH) {
        return PANEL_RED;
    }
    return alarm == GUARD_MEDIUM ? PANEL_YELLOW : (uint16_t)(PANEL_YELLOW | PANEL_CYAN);
}

/* Whether the guard's own lamp is lit now; its flash begins anew whenever the priority is another. */
static bool is_lit(panel_lights_t *lights, uint8_t alarm, uint8_t ms) {
    const uint16_t period_ms = alarm == GUARD_HIGH ? PANEL_RED_MS : PANEL_YELLOW_MS;
    lights->flash_ms = lights->flash == alarm ? round_and_on(lights->flash_ms, ms, period_ms) : 0u;
    lights->flash = alarm;
    return alarm == GUARD_LOW || lights->flash_ms < period_ms / 2u;
}

static uint16_t lamps_now(panel_lights_t *lights, uint8_t alarm, uint8_t host_alarm, uint16_t host_lamps, uint8_t ms) {
    uint16_t colour = PANEL_CYAN;
    if (alarm == GUARD_NO_ALARM || (alarm <= host_alarm && lights->dark_ms <= PANEL_DARK_MS)) {
        lights->flash = GUARD_NO_ALARM;
        return host_lamps;
    }
    if (alarm != GUARD_LOW) {
        colour = alarm == GUARD_HIGH ? PANEL_RED : PANEL_YELLOW;
    }
    /* Two rhythms on one lamp would be none. */
    return (uint16_t)((host_lamps & (uint16_t)~colour) | (is_lit(lights, alarm, ms) ? colour : 0u));
}

/* The sound of the guard's alarm is paused, and since the pause began nothing new has come. */
static bool is_paused(panel_lights_t *lights, uint16_t pause_ms, uint64_t causes) {
    if (pause_ms == 0u || pause_ms > lights->pause_ms) {
        lights->heard = causes;
    }
    lights->pause_ms = pause_ms;
    return pause_ms != 0u && (causes & ~lights->heard) == 0u;
}

/* Whether the guard itself must sound an alarm of this priority. Of a host that shows the same it is believed that it
 * sounds, or was told to be silent; not where the guard is alone with it. */
static bool must_sound(const panel_lights_t *lights, uint8_t alarm, uint8_t host_alarm, bool alone) {
    const uint16_t gap_ms = alarm == GUARD_HIGH ? PANEL_HIGH_GAP_MS : PANEL_MEDIUM_GAP_MS;
    return alarm >= GUARD_MEDIUM && (alarm > host_alarm || (alone && lights->unheard_ms > gap_ms + PANEL_PATIENCE_MS));
}

/* How far into its own burst the guard is. While a host sounds for it that is the burst's end, so that the host's silence
 * is followed by no longer one; while nobody sounds and the guard must not, the next burst waits for its begin. */
static uint16_t burst_phase(const panel_lights_t *lights, bool must, bool host_sounds, bool paused, uint8_t ms) {
    const bool high = lights->burst == GUARD_HIGH;
    const uint16_t period_ms = high ? PANEL_HIGH_MS : PANEL_MEDIUM_MS;
    if (paused) {
        return 0u;
    }
    if (host_sounds && !must) {
        return (uint16_t)(period_ms - (high ? PANEL_HIGH_GAP_MS : PANEL_MEDIUM_GAP_MS));
    }
    return must || lights->burst_ms != 0u ? round_and_on(lights->burst_ms, ms, period_ms) : 0u;
}

/* The pitch of the guard's own burst now, 0 between pulses. */
static uint8_t own_pulse(const panel_lights_t *lights) {
    const bool high = lights->burst == GUARD_HIGH;
    const uint8_t pulse = (uint8_t)(lights->burst_ms / PANEL_PULSE_MS);
    if (pulse >= 32u || ((high ? PANEL_HIGH_BURST : PANEL_MEDIUM_BURST) >> pulse & 1u) == 0u) {
        return 0u;
    }
    return high ? PANEL_HIGH_PITCH : PANEL_MEDIUM_PITCH;
}

static uint8_t sound_now(panel_lights_t *lights, uint8_t alarm, bool must, uint8_t host_buzzer, bool paused, bool lives,
                         uint8_t ms) {
    if (lights->burst == alarm) {
        lights->burst_ms = burst_phase(lights, must, host_buzzer != 0u, paused, ms);
    } else { /* at once, but that a live host may be the first to sound */
        const uint16_t period_ms = alarm == GUARD_HIGH ? PANEL_HIGH_MS : PANEL_MEDIUM_MS;
        lights->burst_ms = lives ? (uint16_t)(period_ms - PANEL_GRACE_MS) : 0u;
        lights->burst = alarm;
    }
    /* While the guard sounds its alarm, nobody sounds between its pulses. */
    return must ? own_pulse(lights) : host_buzzer;
}

/* What sounds, and the tone of a return wherever nothing else was heard for its gap. */
static uint8_t with_tone(panel_lights_t *lights, uint8_t tone, uint8_t ms) {
    const bool begins = lights->quiet_ms >= PANEL_MOTION_GAP_MS;
    const uint8_t left_ms = lights->motion_ms > ms ? (uint8_t)(lights->motion_ms - ms) : 0u;
    if (tone != GUARD_TONE_RETURN || lights->buzzer != 0u) {
        lights->motion_ms = 0u;
        return lights->buzzer;
    }
    lights->motion_ms = begins ? PANEL_MOTION_MS : left_ms;
    return lights->motion_ms != 0u ? PANEL_MOTION_PITCH : 0u;
}

void panel_lights_init(panel_lights_t *lights) {
    *lights = (panel_lights_t){.dark_ms = UINT16_MAX, .unheard_ms = UINT16_MAX, .quiet_ms = UINT16_MAX};
}

void panel_lights_step(panel_lights_t *lights, const guard_t *guard, const guard_out_t *out,
                       const panel_signals_t *host, uint8_t ms) {
    const bool lives = !guard->link.lapsed;
    const uint8_t host_alarm = lives ? host->alarm : (uint8_t)GUARD_NO_ALARM;
    const uint16_t host_lamps = lives ? host->lamps : 0u;
    const uint8_t host_buzzer = lives ? host->buzzer : 0u;
    const bool alone = out->tone == GUARD_TONE_ALONE;
    const uint8_t sounds = alone && out->alarm < GUARD_MEDIUM ? (uint8_t)GUARD_MEDIUM : out->alarm;
    const bool paused = is_paused(lights, guard->sound_pause_ms, out->causes);
    bool must;
    lights->dark_ms = (host_lamps & colours_of(host_alarm)) != 0u ? 0u : later(lights->dark_ms, ms);
    lights->unheard_ms = host_buzzer != 0u ? 0u : later(lights->unheard_ms, ms);
    lights->lamps = lamps_now(lights, out->alarm, host_alarm, host_lamps, ms);
    must = !paused && must_sound(lights, sounds, host_alarm, alone);
    lights->buzzer = sound_now(lights, sounds, must, host_buzzer, paused, lives, ms);
    lights->buzzer = with_tone(lights, out->tone, ms);
    lights->quiet_ms = lights->buzzer != 0u ? 0u : later(lights->quiet_ms, ms);
}
