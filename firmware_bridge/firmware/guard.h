/* The guard: the second judge, on the microcontroller, over the same hazard table as the host's.
 *
 * Pure over its structs, loop-free, integers only, every counter saturating: `guard_step` is called once a millisecond
 * with what the pins and the frames say and answers what the drive, brake, lamps and buzzer shall do. It needs
 * no host: silence stops the table, and silence while inverted becomes a slow return.
 *
 * Angles are centidegrees (0 level, negative head-down), velocities centidegrees a second, times milliseconds.
 *
 * guard.c           the hazard table, latches, requests, the step
 * guard_eyes.c      angle sensors: belief, windows of samples, slopes
 * guard_people.c    switches: debounce, buttons, straps and their proofs
 * guard_drive.c     what the drive does against what it is told (H10 to H15)
 * guard_motion.c    from the worst demand to one velocity
 * guard_actuate.c   from a velocity to set-point, brake and drive power
 *
 * Work on angles is spread over ten milliseconds, a slot each, so that no step is long.
 */
#ifndef INVERSION_TABLE_GUARD_H
#define INVERSION_TABLE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "guard_limits.h" /* generated from config/limits.py */

/* An angle that no sensor gave, and a current that nobody measured. */
#define GUARD_NO_ANGLE INT16_MIN
#define GUARD_NO_CURRENT UINT16_MAX
/* Samples of the 500 ms window, one every 10 ms. */
#define GUARD_SAMPLES 50u
/* Telemetry frames whose time of sending is remembered. */
#define GUARD_SENT 16u

enum guard_demand { GUARD_ALLOW, GUARD_NO_DEEPENING, GUARD_STOP, GUARD_RETURN, GUARD_HOLD, GUARD_CUT, GUARD_DEMANDS };
enum guard_state_name { GUARD_IS_IDLE, GUARD_IS_ARMED, GUARD_IS_STOP, GUARD_IS_RETURN, GUARD_IS_HOLD, GUARD_IS_CUT };
enum guard_contacts { GUARD_CLOSED, GUARD_OPEN, GUARD_DISCREPANT };
enum guard_alarm { GUARD_NO_ALARM, GUARD_LOW, GUARD_MEDIUM, GUARD_HIGH };
enum guard_tone { GUARD_SILENT, GUARD_TONE_RETURN, GUARD_TONE_ALONE };
/* Where drive and brake stand; guard_actuate.c tells how each ends. */
enum guard_phase {
    GUARD_RESTING,
    GUARD_TAKING_UP,
    GUARD_OPENING,
    GUARD_RUNNING,
    GUARD_STILLING,
    GUARD_SETTING,
    GUARD_CUTTING
};
/* Whose return is under way: none, the plan's own, one that the host demands, or the guard's. */
enum guard_return { GUARD_NOT_RETURNING, GUARD_PLAN_RETURN, GUARD_HOST_RETURN, GUARD_OWN_RETURN };

/* Panel buttons, the same bits as in safety/signals.py. */
#define GUARD_TILT 0x0001u
#define GUARD_RAISE 0x0002u
#define GUARD_RETURN_KEY 0x0004u
#define GUARD_STOP_KEY 0x0008u
#define GUARD_PRESENCE 0x0010u
#define GUARD_ACK 0x0020u
#define GUARD_CONFIRM 0x0040u
#define GUARD_PLAN_UP 0x0080u
#define GUARD_PLAN_DOWN 0x0100u

/* A person's STOP as a cause: number 99 on the wire, bit 0 in `causes`. */
#define GUARD_STOP_CAUSE 99u

/* Proofs, in `guard_out_t.proofs`. */
#define GUARD_STRAPS_PROVEN 1u
#define GUARD_STRAPS_CONFIRMED 2u
#define GUARD_PATIENT_PROVEN 4u

/* What the pins say in this millisecond; switches raw, before debounce. */
typedef struct {
    int16_t angle_a_cdeg; /* GUARD_NO_ANGLE where the converter's word is out of range */
    int16_t angle_b_cdeg;
    uint16_t current_ma; /* size of the motor's current, GUARD_NO_CURRENT where nobody measured it */
    uint16_t buttons;
    uint8_t strap_left; /* enum guard_contacts */
    uint8_t strap_right;
    uint8_t estop;
    bool patient_open;       /* the patient's circuit is open: pressed or broken */
    bool level_switch_below; /* the cam says "below"; a break says so too */
    bool end_down;
    bool end_up;
    bool mains;
    bool battery;     /* the battery passed its check; whether it carries the drive is another matter */
    bool supply_gone; /* the drive's rail is dead: neither mains nor battery carries it now */
    bool drive_fault;
} guard_pins_t;

/* This table's constants, as CONFIGURE brought them; `hash` 0 means none, then the usual ones hold and nothing arms. */
typedef struct {
    uint32_t hash;
    uint32_t heat_budget; /* 1024 mA² for 80 ms; what the drive can take */
    uint32_t heat_limit;  /* the same; from here on only the reserve for a return is left */
    uint32_t heat_leak;   /* 1024 mA²; what the drive bears for ever */
    int16_t cap_cdeg;
    int16_t boarding_cdeg;
    int16_t backlash_cdeg;
    uint16_t stall_ma;
    uint16_t idle_ma;
    int16_t speed_cdeg_s;
    int16_t degraded_cdeg_s;
    int16_t slow_cdeg_s;
    int16_t above_cdeg_s;
    int16_t first_degree_cdeg_s;
    int16_t deceleration_cdeg_s2;
    uint16_t lease_ms;
    uint16_t tone_ms;
    uint16_t brake_ms;
    bool has_battery;
    bool brake_on_motor_side;
} guard_config_t;

/* ARM, as it came. */
typedef struct {
    uint32_t session_id;
    uint32_t config_hash;
    int16_t cap_cdeg;
    uint16_t set_limit_s;
    uint16_t travel_limit_s;
    uint16_t hold_today_s; /* hold used today and planned now */
    int16_t speed_cdeg_s;
    uint8_t sets;
    bool strap_wait;
    bool held_tilt;
} guard_arm_t;

/* The newest valid COMMAND frame; `fresh` only in the millisecond in which it arrived. */
typedef struct {
    uint32_t session_id; /* 0 while nothing is armed */
    uint16_t echo;       /* telemetry sequence number that the host has seen */
    int16_t velocity_cdeg_s;
    uint8_t demand;      /* the host's own, enum guard_demand */
    uint8_t stop_cause;  /* hazard number; 99 a person's STOP; 0 none */
    bool plan_return;    /* the plan's own way back */
    bool presence_fresh; /* the host says that presence is fresh (H04's wait) */
    bool fresh;
} guard_command_t;

/* Requests that came in this millisecond; at most one of each. */
typedef struct {
    bool arm;
    bool disarm;
    bool configure;
    guard_arm_t arming;
    guard_config_t config;
    uint32_t disarm_session_id;
} guard_request_t;

/* What the drive, the brake and the panel shall do. */
typedef struct {
    int16_t applied_cdeg_s; /* the set-point after the ramp, for the velocity loop */
    bool drive_power;       /* enable of the H-bridge */
    bool short_motor;       /* both legs low */
    bool brake_released;
    bool preload;            /* torque first, brake still set: take the backlash up */
    bool held_torque;        /* with `preload`: no gap to take up, begin with the torque that held the load last */
    int8_t direction;        /* of the preload */
    uint8_t phase;           /* enum guard_phase */
    uint8_t tone;            /* enum guard_tone: silent, before and during a return, alarm without a host */
    uint8_t alarm;           /* enum guard_alarm */
    uint8_t demand;          /* the guard's own; the host's is not in it */
    uint8_t state;           /* enum guard_state_name: what is in force, the host's demand in it */
    uint8_t returning;       /* enum guard_return */
    uint8_t first_cause;     /* hazard number, 99 a person's STOP, 0 none */
    int16_t first_value;     /* what was measured when the first cause came, see MARK in guard_parts.h */
    uint64_t causes;         /* bit n: hazard n is latched or active; bit 0: a person's STOP */
    uint32_t session_id;     /* 0 while nothing is armed */
    uint32_t config_hash;    /* 0 before CONFIGURE */
    uint32_t refusals_low;   /* bit n: hazard n refused the last request (1 … 31) */
    uint8_t refusals_high;   /* bit n: hazard 32 + n */
    uint8_t answer;          /* to the last request: 0 none, 1 accepted, 2 refused */
    uint8_t proofs;          /* GUARD_STRAPS_PROVEN and so on */
    bool still;              /* set-point zero and less than 0.2°/s over 500 ms */
    uint16_t inverted_s;     /* this set's time below −5° */
    bool edge;               /* a strap, e-stop, patient or cause edge: send telemetry at once */
} guard_out_t;

/* What the guard remembers ------------------------------------------------------------------------------------- */

/* A window of equally spaced samples x0 … xn−1, oldest first: Σx and Σi·x give the exact least-squares slope. */
typedef struct {
    int32_t sum;
    int32_t weighted;
} guard_window_t;

/* The largest change one way from one sample to the next of the last 100 ms, and the samples since. */
typedef struct {
    int16_t cdeg;
    uint8_t age;
} guard_jump_t;

/* One angle sensor; slopes are 2Σi·x − (n−1)Σx, thresholds in guard_parts.h. */
typedef struct {
    int16_t ring[GUARD_SAMPLES];
    guard_window_t over_100;
    guard_window_t over_250;
    guard_window_t over_300;
    guard_window_t over_500;
    int32_t slope_100;
    int32_t slope_250;
    int32_t slope_300;
    int32_t slope_500;
    int16_t word; /* as it came, GUARD_NO_ANGLE where there was none */
    int16_t kept; /* the last word in range */
    guard_jump_t up;
    guard_jump_t down;
    int16_t rest_of_way; /* how far it went in 100 ms, without the largest step that way */
    uint8_t good;        /* words in range in a row, up to GUARD_SAMPLES */
} guard_eye_t;

/* Both sensors: who is believed, and what follows. Bit 0 of `lost` is A, bit 1 is B. */
typedef struct {
    guard_eye_t a;
    guard_eye_t b;
    uint8_t head;
    uint8_t lost;
    bool disputed;
    bool known; /* an angle was known at least once since boot */
    uint16_t apart_ms;
    int16_t angle_cdeg;  /* the believed one; the last known where both are lost */
    int16_t deeper_cdeg; /* the deeper reading of the believed ones */
    uint16_t still_ms;
} guard_eyes_t;

/* Half a window: where both sensors stood at its start, how far it was driven, the largest current in it. */
typedef struct {
    int16_t a_cdeg;
    int16_t b_cdeg;
    uint16_t peak_ma;
    int32_t driven; /* cdeg/s · ms */
} guard_mark_t;

/* What is remembered of the drive, for H10 to H15. */
typedef struct {
    guard_mark_t before;
    guard_mark_t half;
    guard_mark_t block_before;
    guard_mark_t block;
    int32_t caught_slope;
    int16_t far_a;
    int16_t far_b;
    int16_t spring_a; /* how far it was pressed against what blocked it, in the direction `spring`, for `spring_ms` more */
    int16_t spring_b;
    int16_t rest_a;
    int16_t rest_b;
    int16_t applied; /* the set-point at the last sample */
    int16_t peaks[10]; /* largest set-points, 50 ms each, newest first; `peak` of the 50 ms running */
    int16_t peak;
    int16_t since_ms;
    uint16_t zero_ms;
    uint16_t caught_ms;
    uint16_t block_ms;
    uint16_t stall_ms;
    uint16_t spring_ms;
    uint16_t vain_ms; /* how long motion toward level is asked for and does not begin */
    uint8_t peak_samples;
    int8_t sign;
    int8_t spring;
    uint8_t caught;
    bool reversed;
    bool halves;
    bool block_halves;
    bool rested;
    bool powered; /* at the last sample the drive was not at rest with its power off */
    uint8_t found[6]; /* what H10 to H15 demand since the last sample, and what was measured */
    int16_t value[6];
} guard_drive_t;

/* One strap. */
typedef struct {
    uint16_t since_ms;
    uint8_t contacts; /* enum guard_contacts */
    uint8_t stage;
    bool mistrusted;
    bool seen_open;
    bool excused;
} guard_side_t;

/* Switches after debounce, and what people do with them. */
typedef struct {
    uint32_t stable; /* bits as in guard_parts.h */
    uint32_t count_0, count_1, count_2;
    uint16_t raw;
    uint16_t held;
    uint16_t pressed;
    uint16_t ignored;
    uint16_t ack_ms;
    uint32_t move_ms;
    uint8_t estop;
    uint8_t patient;
    bool patient_open;
    bool patient_pressed;
    bool stuck;
    bool crossed;
    guard_side_t left;
    guard_side_t right;
    uint16_t proven_ms;
    bool confirmed;
} guard_people_t;

/* The lease: when telemetry was sent, how old the newest valid command is, lapses. */
typedef struct {
    uint32_t sent_ms[GUARD_SENT];
    uint16_t sent_sequence[GUARD_SENT];
    uint16_t sent_valid; /* bit n: entry n was used */
    uint16_t age_ms;
    uint16_t heard_ms; /* since any command frame came, valid or not */
    uint16_t lapse_ms;
    uint16_t ago_1_ms; /* since the last two lapses began */
    uint16_t ago_2_ms;
    bool lapsed;
    bool latched;
    int16_t velocity_cdeg_s;
    uint8_t demand;
    uint8_t stop_cause;
    bool plan_return;
    bool presence_fresh;
    bool host_stop; /* a person's STOP that the host asks for, in the millisecond in which it came */
} guard_link_t;

/* Motion: grants, the return under way, excursions, held motion. */
typedef struct {
    uint32_t blind; /* cdeg/s · ms */
    uint32_t blind_limit;
    uint32_t blind_ms;
    uint16_t tone_ms;
    uint16_t pause_ms;
    uint16_t zeros_ms;
    uint16_t spent_ms;
    uint16_t raise_pause_ms;
    int16_t from_a;
    int16_t from_b;
    int16_t to_cdeg;
    int16_t start_cdeg;
    int16_t target_cdeg_s; /* what the ramp follows */
    uint8_t back;          /* enum guard_return */
    uint8_t grant;
    uint8_t excursion;
    uint8_t demand; /* in force in the last step */
    bool blind_out;
    bool pause_used;
    bool relief_used;
    bool was_blocked;
    bool held_panel;
    bool held_patient;
    bool raise_free;
    bool begun;   /* the excursion waits for rest before it begins */
    uint8_t held; /* whether a held button moves it, and whether in trouble */
} guard_motion_t;

/* Ramp, brake and power. Velocity in 1/1024 cdeg/s, its rate in the same per ms. */
typedef struct {
    int32_t velocity;
    int16_t rate;
    int16_t applied_cdeg_s;
    uint16_t in_phase_ms;
    uint8_t phase;
    bool on_flank;
    bool drive_power;
    bool short_motor;
    bool brake_released;
    bool preload;
} guard_actuator_t;

/* All that the guard remembers from one millisecond to the next. */
typedef struct {
    guard_config_t config;
    guard_arm_t armed; /* session_id 0: not armed */
    guard_eyes_t eyes;
    guard_drive_t drive;
    guard_people_t people;
    guard_link_t link;
    guard_motion_t motion;
    guard_actuator_t actuator;
    uint32_t clock_ms;
    uint32_t standing[GUARD_DEMANDS]; /* causes that stand now, by demand; bits as in guard_parts.h */
    uint32_t latched[GUARD_DEMANDS];
    uint32_t standing_any;
    uint32_t latched_any;
    uint64_t causes;
    uint32_t above_travel_ms;
    uint32_t inverted_ms;
    uint32_t below_ms;
    uint32_t heat;
    uint32_t heat_squares;
    uint32_t refusals_low;
    uint16_t rest_ms;
    uint16_t mains_ms;
    uint16_t unfed_ms; /* how long nothing carries the drive */
    uint16_t strap_wait_ms;
    uint16_t sound_pause_ms;
    uint16_t inverted_s;
    int16_t where_cdeg; /* the angle that counts: level in doubt as soon as two of three say so */
    int16_t deepest_cdeg;
    int16_t first_value;
    uint8_t first_cause;
    uint8_t host_level; /* the host's HOLD or CUT that was taken over last, so that only a rise latches */
    uint8_t refusals_high;
    uint8_t answer;
    uint8_t sets;
    uint8_t slot;
    uint8_t heat_samples;
    uint8_t alarm;
    bool carried; /* the battery was good since the mains went, or carried the return under way */
    bool over; /* a latched cause ended the session: no set before a new ARM */
    bool edge;
} guard_t;

/* Begin: everything off, the brake set, nothing armed; a table found below −1° is held (H19). */
void guard_init(guard_t *g, const guard_pins_t *pins);

/* Take over constants that were kept from before a reset; false, and nothing changed, where they are beyond a ceiling.
 * Only between `guard_init` and the first step. */
bool guard_restore(guard_t *g, const guard_config_t *kept);

/* Note that the telemetry frame with this sequence number is on its way now; a command may echo it for 150 ms. */
void guard_sent(guard_t *g, uint16_t sequence);

/* One millisecond. */
void guard_step(guard_t *g, const guard_pins_t *pins, const guard_command_t *command, const guard_request_t *request,
                guard_out_t *out);

#endif
