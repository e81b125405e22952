/* What the files of the guard share with one another and with nobody else. */
#ifndef INVERSION_TABLE_GUARD_PARTS_H
#define INVERSION_TABLE_GUARD_PARTS_H

#include "guard.h"

/* Angle sensors, bits of `eyes.lost`. */
#define EYE_A 1u
#define EYE_B 2u
#define EYES_BOTH 3u

/* Debounced switches, bits of `people.stable`; 0 to 8 are the panel's buttons. A pair of contacts is written so that
 * no way from one state to another passes through a third: 0 closed, ANY disagreeing, ANY and ALL open. */
#define SW_BUTTONS UINT32_C(0x01FF)
#define SW_LEFT_ANY UINT32_C(0x00000200)
#define SW_LEFT_ALL UINT32_C(0x00000400)
#define SW_RIGHT_ANY UINT32_C(0x00000800)
#define SW_RIGHT_ALL UINT32_C(0x00001000)
#define SW_ESTOP UINT32_C(0x00002000)
#define SW_PATIENT UINT32_C(0x00004000)
#define SW_BELOW UINT32_C(0x00008000)
#define SW_END_DOWN UINT32_C(0x00010000)
#define SW_END_UP UINT32_C(0x00020000)
#define SW_MAINS UINT32_C(0x00040000)
#define SW_BATTERY UINT32_C(0x00080000)
#define SW_FAULT UINT32_C(0x00100000)
#define SW_NO_SUPPLY UINT32_C(0x00200000)
#define SW_STRAPS (SW_LEFT_ANY | SW_LEFT_ALL | SW_RIGHT_ANY | SW_RIGHT_ALL)

/* Stages of proofs and of the e-stop. */
enum { STRAP_UNSEEN, STRAP_SEEN_OPEN, STRAP_PROVEN };
enum { PATIENT_UNSEEN, PATIENT_SEEN_CLOSED, PATIENT_SEEN_OPEN, PATIENT_PROVEN };
enum { ESTOP_RELEASED, ESTOP_PRESSED, ESTOP_HELD_AFTER };
/* What became of motion that nobody commanded (H12). */
enum { FREE, SLOWING, CAUGHT, LET_GO };
/* What TILT and RAISE give leave to do, whether a held button moves the table, and the short creeps after a block. */
enum { NO_GRANT, LOWER, DEEPEN, LIFT };
enum { NOT_HELD, HELD, HELD_IN_TROUBLE };
enum { NO_EXCURSION, BACK_OFF, RELIEF };

/* Causes are kept as bits of 32: hazard n is bit n, H36 is bit 31, a person's STOP is bit 0. */
#define BIT_OF(n) ((n) == 36 ? UINT32_C(0x80000000) : UINT32_C(1) << ((n) & 31))
#define CAUSE_STOP 0
#define PRESS_CLEARED (BIT_OF(CAUSE_STOP) | BIT_OF(25) | BIT_OF(26))
#define STRAP_CAUSES (BIT_OF(4) | BIT_OF(5) | BIT_OF(6))
#define SENSOR_CAUSES (BIT_OF(8) | BIT_OF(9) | BIT_OF(10))
#define SLOW_CAUSES (BIT_OF(2) | BIT_OF(4) | BIT_OF(8) | BIT_OF(10) | BIT_OF(21))
#define MOTION_CAUSES (BIT_OF(10) | BIT_OF(11) | BIT_OF(12) | BIT_OF(13))
#define BLOCK_CAUSES (BIT_OF(14) | BIT_OF(15))
#define MEDIUM_STOPS (BIT_OF(5) | BIT_OF(14) | BIT_OF(17) | BIT_OF(18) | BIT_OF(25) | BIT_OF(36))
#define HIGH_RETURNS (BIT_OF(2) | BIT_OF(4) | BIT_OF(8) | BIT_OF(10))

/* Say that hazard `n` demands `demand` now (GUARD_ALLOW: it does not stand), and what was measured: angles and their
 * differences in cdeg, currents in mA, times in s, contacts, buttons and sensors by number, slopes as they are. */
#define MARK(g, n, demand, value) guard_mark((g), (n), BIT_OF(n), (uint8_t)(demand), (value))
void guard_mark(guard_t *g, uint8_t number, uint32_t bit, uint8_t demand, int16_t value);

/* Slopes are 2Σi·x − (n−1)Σx = slope · n(n²−1)/6 · 10 ms; a limit of v cdeg/s over a window stands for this much. */
#define SLOPE_100(v) ((v) * INT32_C(33) / 20)
#define SLOPE_250(v) ((v) * INT32_C(26))
#define SLOPE_300(v) ((v) * INT32_C(899) / 20)
#define SLOPE_500(v) ((v) * INT32_C(833) / 4)

/* guard_eyes.c */
void guard_look(guard_t *g, const guard_pins_t *pins);
void guard_weigh(guard_eyes_t *eyes);
void guard_follow_a(guard_t *g);
void guard_follow_b(guard_t *g);
void guard_follow_still(guard_t *g);
bool guard_restorable(const guard_eyes_t *eyes);
uint8_t guard_votes_for_level(const guard_t *g);
int32_t guard_twice(const guard_eyes_t *eyes, int32_t slope_a, int32_t slope_b);
bool guard_seen_for(const guard_eyes_t *eyes, uint8_t samples);
bool guard_doubtful(const guard_eyes_t *eyes);
int16_t guard_size(int16_t value);
int32_t guard_size_of(int32_t value);
uint16_t guard_up(uint16_t value, uint16_t top);

/* guard_people.c */
void guard_people_init(guard_t *g, const guard_pins_t *pins);
void guard_follow_people(guard_t *g, const guard_pins_t *pins);
void guard_follow_straps(guard_t *g);
void guard_forget_proofs(guard_t *g);
uint16_t guard_buttons_down(const guard_people_t *people);
bool guard_straps_shut(const guard_people_t *people);
bool guard_straps_open(const guard_people_t *people);
bool guard_straps_proven(const guard_people_t *people);

/* guard_drive.c */
void guard_drive_reset(guard_t *g);
void guard_rest_here(guard_t *g);
void guard_follow_drive(guard_t *g, const guard_pins_t *pins);

/* The table is first found still when the last 500 ms were slow; 500 ms later it has stood for that long. */
#define STOOD_MS 1000u

/* guard_motion.c */
void guard_follow_return(guard_t *g, uint8_t worst);
uint8_t guard_in_force(const guard_t *g, uint8_t worst);
void guard_move(guard_t *g, uint8_t demand);
void guard_motion_reset(guard_t *g);
bool guard_may_disarm(const guard_t *g);

/* guard_actuate.c */
void guard_actuate(guard_t *g, const guard_pins_t *pins, uint8_t demand);
bool guard_supplied(const guard_t *g);

#endif
