/* The Arduino Mega 2560 under the guard: pins, converter, PWM, UART, watchdog, EEPROM. Interrupts do what cannot wait:
 * the e-stop's edge, conversions, bytes of the line, and the count of milliseconds.
 */
#ifndef INVERSION_TABLE_MEGA_H
#define INVERSION_TABLE_MEGA_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"
#include "panel_lights.h"

/* Words of the converter: sixteen conversions of ten bits, made into twelve. */
#define MEGA_SENSES 3u
/* A conversion of all three that is older than this counts as none. */
#define MEGA_OLDEST_MS 20u
/* PWM: 20 kHz, in 800 steps. */
#define MEGA_PWM_TOP 800u

/* Why the board was reset: as HELLO_REPLY tells it. */
uint8_t mega_reset_cause(void);

/* Everything off, then clocks, pins, converter and line. Interrupts are on afterwards. */
void mega_begin(void);

/* Waits for the next millisecond. Those that were missed are made up for, one a call. */
void mega_wait(void);

/* What pins and converter say now. */
void mega_look(guard_pins_t *pins);

/* The motor's current, positive where it turns the head up; 0 where it is not measured. */
int16_t mega_current_ma(void);

/* Puts a voltage on the motor, in 1/256 cdeg/s of the drive without a load, and switches enable and brake. An e-stop that
 * was seen by its interrupt, or stands open, wins over whatever is asked for. */
void mega_drive(int32_t voltage, const guard_out_t *out);

/* Lamps and buzzer. */
void mega_show(const panel_lights_t *lights);

/* Takes the next byte of the line; false: there is none. */
bool mega_receive(uint8_t *byte);

/* Whether the transmitter has sent everything; and begins to send a frame. */
bool mega_idle(void);
void mega_send(const uint8_t *bytes, uint8_t length);

/* Lets the watchdog wait another 32 ms. */
void mega_feed(void);

/* The EEPROM: reads at once; writes one byte, false while the one before is still being written. */
void mega_recall(uint16_t at, void *bytes, uint8_t length);
bool mega_keep(uint16_t at, uint8_t byte);

#endif
