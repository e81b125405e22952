/* The guard: the second judge, on the microcontroller, over the same hazard table as the host's.
 *
 * Pure over its structs, loop-free, integers only, every counter saturating: `guard_step` is called once a millisecond
 * with what the pins and the frames say and answers what the drive, brake, lamps and buzzer shall do. It needs
 * no host: silence stops the table, and silence while inverted becomes a slow return.
 *
 * Angles are centidegrees (0 level, negative head-down), velocities centidegrees a second, times milliseconds.
 */
#ifndef INVERSION_TABLE_GUARD_H
#define INVERSION_TABLE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "guard_limits.h" /* generated from config/limits.py */

/* An angle that no sensor gave. */
#define GUARD_NO_ANGLE INT16_MIN
/* Samples of the 500 ms window, one every 10 ms. */
#define GUARD_SAMPLES 50u

enum guard_demand { GUARD_ALLOW, GUARD_NO_DEEPENING, GUARD_STOP, GUARD_RETURN, GUARD_HOLD, GUARD_CUT };
enum guard_state_name { GUARD_IS_IDLE, GUARD_IS_ARMED, GUARD_IS_STOP, GUARD_IS_RETURN, GUARD_IS_HOLD, GUARD_IS_CUT };
enum guard_contacts { GUARD_CLOSED, GUARD_OPEN, GUARD_DISCREPANT };

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

/* What the pins say in this millisecond; switches raw, before debounce. */
typedef struct {
    int16_t angle_a_cdeg;    /* GUARD_NO_ANGLE where the converter's word is out of range */
    int16_t angle_b_cdeg;
    int16_t current_ma;      /* size of the motor's current */
    uint16_t buttons;
    uint8_t strap_left;      /* enum guard_contacts */
    uint8_t strap_right;
    uint8_t estop;
    bool patient_open;       /* the patient's circuit is open: pressed or broken */
    bool level_switch_below; /* the cam says "below"; a break says so too */
    bool end_down;
    bool end_up;
    bool mains;
    bool battery;
    bool drive_fault;
} guard_pins_t;

/* This table's constants, as CONFIGURE brought them; `hash` 0 means none. */
typedef struct {
    uint32_t hash;
    int16_t cap_cdeg;
    int16_t boarding_cdeg;
    int16_t backlash_cdeg;
    int16_t stall_ma;
    int16_t idle_ma;
    int16_t speed_cdeg_s;
    int16_t slow_cdeg_s;
    int16_t above_cdeg_s;
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
    uint32_t session_id;
    uint16_t echo;       /* telemetry sequence number that the host has seen */
    int16_t velocity_cdeg_s;
    uint8_t demand;      /* the host's, enum guard_demand */
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
    bool preload;           /* torque first, brake still set: take the backlash up */
    int8_t direction;       /* of the preload */
    uint8_t tone;           /* 0 silent, 1 before and during a return, 2 alarm without a host */
    uint8_t alarm;          /* 0 none, 1 low, 2 medium, 3 high */
    uint8_t demand;
    uint8_t state;          /* enum guard_state_name */
    uint8_t first_cause;    /* hazard number, 0 none */
    uint64_t causes;        /* bit n: hazard n is latched or active */
    uint32_t session_id;
    uint32_t refusals_low;  /* bit n: hazard n refused the last ARM (1 … 31) */
    uint8_t refusals_high;  /* bit n: hazard 32 + n */
    uint8_t answer;         /* to the last request: 0 none, 1 accepted, 2 refused */
    uint16_t inverted_s;
    bool edge;              /* a strap, e-stop, patient or cause edge: send telemetry at once */
} guard_out_t;
