/* See mega.h. Sources: Microchip's data sheet of the ATmega640/1280/1281/2560/2561.
 *
 * No interrupt but the e-stop's takes longer than 5 µs, and nothing else keeps interrupts off for longer: that is what
 * bounds the e-stop's time.
 */
#include "mega.h"

#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <util/atomic.h>

#include "frame.h"
#include "mega_pins.h"
#include "velocity.h"

#define TICK_HZ 1000u
/* 16 conversions of each sensor, 104 µs a conversion of the three in turn: a new word of each every 5 ms. */
#define CONVERSIONS 16u
/* A ratiometric sensor within 5 … 95 % of its supply: anything else is a broken wire. */
#define LOWEST_WORD 205u
#define HIGHEST_WORD 3891u
/* 0 V is −90° and 5 V is 110° for A; B falls where A rises. */
#define ZERO_CDEG (-9000)
#define SPAN_CDEG 20000
/* The Hall sensor: half its supply at no current, 0 … 5 V for −20 … 20 A. */
#define HALF_WORD 2048
#define SPAN_MA 40000
/* What timer 4 counts in half a period of ten hertz: fine enough that a pitch is right to a hertz. */
#define PITCH_CLOCK (F_CPU / 8u / 2u / 10u)
/* Bytes that wait in the receiver: 22 ms of the line. A power of two. */
#define RECEIVED 256u
/* Bit 0 of this register, which one instruction sets: the e-stop's interrupt came. */
#define LATCH GPIOR0
#define ESTOP_CAME 0
#define ESTOP_OPEN() ((ON_ESTOP_1(PIN) & (_BV(BIT_ESTOP_1) | _BV(BIT_ESTOP_2))) != 0u)
#define IS_HIGH(x) ((ON_##x(PIN) & _BV(BIT_##x)) != 0u)
#define BITS_OF(x) ((uint8_t)(((ON_##x##_1(PIN) >> BIT_##x##_1) & 1u) | (((ON_##x##_2(PIN) >> BIT_##x##_2) & 1u) << 1)))

/* The panel's ports are bit for bit what guard.h and signals.py call buttons and lamps. */
#if BIT_BUTTON_TILT != 0 || BIT_BUTTON_RAISE != 1 || BIT_BUTTON_RETURN != 2 || BIT_BUTTON_STOP != 3 || \
    BIT_BUTTON_PRESENCE != 4 || BIT_BUTTON_ACK != 5 || BIT_BUTTON_CONFIRM != 6 || BIT_BUTTON_PLAN_UP != 7 || \
    BIT_LAMP_RED != 0 || BIT_LAMP_STOP != 7 || BIT_LAMP_PRESENCE != 0 || BIT_LAMP_BREATHE != 6
#error "The panel's ports are not in the order of the buttons and lamps."
#endif

static volatile uint16_t sums[MEGA_SENSES];
static uint16_t words[MEGA_SENSES];
static uint8_t word_age_ms;
static volatile uint8_t conversions;
static volatile uint8_t sense;
static volatile uint8_t pending;
static volatile uint8_t received[RECEIVED];
static volatile uint8_t received_in;
static uint8_t received_out;
static volatile uint8_t sending[FRAME_WIRE_LARGEST];
static volatile uint8_t sending_left;
static volatile uint8_t sending_at;
static int8_t turning;      /* the leg that is on */
static uint16_t remainder; /* of the last voltage, in 1/256 of a step of the PWM, 0 … */
static uint8_t pitch;

/* Kept from before main() clears anything. */
static uint8_t reset_flags __attribute__((section(".noinit")));

void mega_first(void) __attribute__((naked, used, section(".init3")));
void mega_first(void) {
    reset_flags = MCUSR;
    MCUSR = 0u;
    wdt_enable(WDTO_30MS);
}

uint8_t mega_reset_cause(void) {
    if ((reset_flags & _BV(PORF)) != 0u) {
        return 1u;
    }
    if ((reset_flags & _BV(BORF)) != 0u) {
        return 3u;
    }
    if ((reset_flags & _BV(WDRF)) != 0u) {
        return 4u;
    }
    return (reset_flags & _BV(EXTRF)) != 0u ? 2u : 0u;
}

/* The e-stop opened: both legs low, brake set; one instruction each, and none that touches a register. */
ISR(INT4_vect, ISR_NAKED) {
    __asm__ __volatile__("cbi %0, %1\n\t"
                         "cbi %2, %3\n\t"
                         "cbi %4, %5\n\t"
                         "sbi %6, %7\n\t"
                         "reti\n\t" ::"I"(_SFR_IO_ADDR(ON_DRIVE_DOWN(PORT))),
                         "I"(BIT_DRIVE_DOWN), "I"(_SFR_IO_ADDR(ON_DRIVE_UP(PORT))), "I"(BIT_DRIVE_UP),
                         "I"(_SFR_IO_ADDR(ON_BRAKE_RELEASE(PORT))), "I"(BIT_BRAKE_RELEASE), "I"(_SFR_IO_ADDR(LATCH)),
                         "I"(ESTOP_CAME));
}
ISR(INT5_vect, ISR_ALIASOF(INT4_vect));

ISR(TIMER0_COMPA_vect) { pending++; }

ISR(ADC_vect) {
    uint8_t at = sense;
    uint16_t sum = sums[at] + ADC;
    sums[at] = sum;
    at++;
    if (at == MEGA_SENSES) {
        at = 0u;
        conversions++;
    }
    sense = at;
    ADMUX = (uint8_t)(_BV(REFS0) | at);
    if (conversions < CONVERSIONS) {
        ADCSRA |= _BV(ADSC);
    }
}

ISR(USART0_RX_vect) {
    uint8_t at = received_in;
    received[at] = UDR0;
    received_in = (uint8_t)(at + 1u);
}

ISR(USART0_UDRE_vect) {
    uint8_t left = sending_left;
    if (left == 0u) {
        UCSR0B &= (uint8_t)~_BV(UDRIE0);
        return;
    }
    uint8_t at = sending_at;
    UDR0 = sending[at];
    sending_at = (uint8_t)(at + 1u);
    sending_left = (uint8_t)(left - 1u);
}

static void convert(void) {
    for (uint8_t i = 0u; i < MEGA_SENSES; i++) {
        sums[i] = 0u;
    }
    conversions = 0u;
    sense = 0u;
    ADMUX = _BV(REFS0);
    ADCSRA |= _BV(ADSC);
}

static void begin_pins(void) {
#define BEGIN(x) PORT##x = (uint8_t)PULL_UPS_##x, DDR##x = (uint8_t)OUTPUTS_##x
    BEGIN(B), BEGIN(E), BEGIN(G), BEGIN(A), BEGIN(C), BEGIN(D), BEGIN(H), BEGIN(J), BEGIN(K), BEGIN(L), BEGIN(F);
}

static void begin_clocks(void) {
    /* A millisecond: 16 MHz / 64 / 250. */
    TCCR0A = _BV(WGM01);
    OCR0A = (uint8_t)(F_CPU / 64u / TICK_HZ - 1u);
    TIMSK0 = _BV(OCIE0A);
    TCCR0B = _BV(CS01) | _BV(CS00);
    /* The PWM: fast, top in ICR1. */
    ICR1 = MEGA_PWM_TOP - 1u;
    OCR1A = 0u;
    TCCR1A = _BV(COM1A1) | _BV(WGM11);
    TCCR1B = _BV(WGM13) | _BV(WGM12) | _BV(CS10);
    /* The buzzer: timer 4 toggles its pin, at 16 MHz / 8; silent until there is a pitch. */
    TCCR4A = 0u;
    TCCR4B = _BV(WGM42);
}

static void begin_line(void) {
    UCSR0A = _BV(U2X0);
    UBRR0 = 16u; /* 115,200 baud, 2.1 % fast */
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
}

void mega_begin(void) {
    begin_pins();
    begin_clocks();
    begin_line();
    EICRB = _BV(ISC41) | _BV(ISC40) | _BV(ISC51) | _BV(ISC50); /* rising: a contact opens */
    EIFR = _BV(INTF4) | _BV(INTF5);
    EIMSK = _BV(INT4) | _BV(INT5);
    DIDR0 = 0x07u;
    ADCSRA = _BV(ADEN) | _BV(ADIE) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0); /* 125 kHz */
    word_age_ms = UINT8_MAX;
    conversions = CONVERSIONS;
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
    convert();
}

void mega_wait(void) {
    for (;;) {
        cli();
        if (pending != 0u) {
            pending--;
            sei();
            return;
        }
        sleep_enable();
        sei();
        sleep_cpu();
        sleep_disable();
    }
}

/* Every conversion of a round is in: make the words of them, and begin the next round. */
static void take_words(void) {
    if (word_age_ms < UINT8_MAX) {
        word_age_ms++;
    }
    if (conversions == CONVERSIONS && sense == 0u && (ADCSRA & _BV(ADSC)) == 0u) {
        for (uint8_t i = 0u; i < MEGA_SENSES; i++) {
            words[i] = (sums[i] + 8u) >> 2;
        }
        word_age_ms = 0u;
        convert();
    }
}

static bool is_sound(uint16_t word) { return word_age_ms <= MEGA_OLDEST_MS && LOWEST_WORD <= word && word <= HIGHEST_WORD; }

static int16_t angle_of(uint16_t word) {
    return (int16_t)(ZERO_CDEG + ((int32_t)word * SPAN_CDEG + SPAN_CDEG / 2) / 4096);
}

int16_t mega_current_ma(void) {
    return is_sound(words[2]) ? (int16_t)(((int32_t)words[2] - HALF_WORD) * SPAN_MA / 4096) : 0;
}

static uint8_t contacts_of(uint8_t open) {
    return open == 0u ? GUARD_CLOSED : open == 3u ? GUARD_OPEN : GUARD_DISCREPANT;
}

void mega_look(guard_pins_t *pins) {
    take_words();
    pins->angle_a_cdeg = is_sound(words[0]) ? angle_of(words[0]) : GUARD_NO_ANGLE;
    /* Falling: 0 V is 110°. */
    pins->angle_b_cdeg = is_sound(words[1]) ? (int16_t)(2 * ZERO_CDEG + SPAN_CDEG - angle_of(words[1])) : GUARD_NO_ANGLE;
    int16_t current = mega_current_ma();
    pins->current_ma = is_sound(words[2]) ? (uint16_t)(current < 0 ? -current : current) : GUARD_NO_CURRENT;
    /* RETURN and STOP open when they are pressed, the others close. */
    uint8_t keys = (uint8_t)~PINA ^ (GUARD_RETURN_KEY | GUARD_STOP_KEY);
    pins->buttons = (uint16_t)(keys | (IS_HIGH(BUTTON_PLAN_DOWN) ? 0u : GUARD_PLAN_DOWN));
    pins->strap_left = contacts_of(BITS_OF(STRAP_LEFT));
    pins->strap_right = contacts_of(BITS_OF(STRAP_RIGHT));
    uint8_t estop = BITS_OF(ESTOP);
    if ((LATCH & _BV(ESTOP_CAME)) != 0u) {
        LATCH &= (uint8_t)~_BV(ESTOP_CAME);
        estop = estop == 0u ? 3u : estop;
    }
    pins->estop = contacts_of(estop);
    pins->patient_open = IS_HIGH(PATIENT_BUTTON);
    pins->level_switch_below = IS_HIGH(LEVEL_SWITCH);
    pins->end_down = IS_HIGH(END_DOWN);
    pins->end_up = IS_HIGH(END_UP);
    pins->mains = !IS_HIGH(MAINS);
    pins->battery = !IS_HIGH(BATTERY);
    pins->supply_gone = IS_HIGH(SUPPLY_RAIL);
    pins->drive_fault = IS_HIGH(DRIVE_FAULT);
}

/* Steps of the PWM for a voltage; what is left over goes into the next millisecond. */
static uint16_t steps_of(int32_t size) {
    /* size / 256 / TOP · 800 steps, kept in 1/256: size · 800 / TOP = size · 4 / 17 at 3400 cdeg/s. */
    uint32_t fine = (uint32_t)size * (MEGA_PWM_TOP / 200u) / (VELOCITY_TOP_CDEG_S / 200u) + remainder;
    remainder = (uint16_t)(fine % VELOCITY_ONE);
    uint32_t steps = fine / VELOCITY_ONE;
    return (uint16_t)(steps < MEGA_PWM_TOP ? steps : MEGA_PWM_TOP - 1u);
}

void mega_drive(int32_t voltage, const guard_out_t *out) {
    int8_t wanted = out->short_motor || !out->drive_power || voltage == 0 ? 0 : voltage > 0 ? 1 : -1;
    uint16_t steps = steps_of(voltage < 0 ? -voltage : voltage);
    /* Break before make: a millisecond with both legs low between the two directions. */
    int8_t leg = wanted == turning || turning == 0 ? wanted : 0;
    turning = leg;
    bool power = out->drive_power;
    bool brake = out->brake_released;
    if (leg <= 0) {
        ON_DRIVE_UP(PORT) &= (uint8_t)~_BV(BIT_DRIVE_UP);
    }
    if (leg >= 0) {
        ON_DRIVE_DOWN(PORT) &= (uint8_t)~_BV(BIT_DRIVE_DOWN);
    }
    if (!brake) {
        ON_BRAKE_RELEASE(PORT) &= (uint8_t)~_BV(BIT_BRAKE_RELEASE);
    }
    if (!power) {
        ON_DRIVE_ENABLE(PORT) &= (uint8_t)~_BV(BIT_DRIVE_ENABLE);
    }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { OCR1A = leg == 0 ? 0u : steps; }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        /* Nothing is switched on while the e-stop is open, or was and has not been judged yet. */
        if ((LATCH & _BV(ESTOP_CAME)) == 0u && !ESTOP_OPEN()) {
            if (power) {
                ON_DRIVE_ENABLE(PORT) |= _BV(BIT_DRIVE_ENABLE);
            }
            if (leg > 0) {
                ON_DRIVE_UP(PORT) |= _BV(BIT_DRIVE_UP);
            } else if (leg < 0) {
                ON_DRIVE_DOWN(PORT) |= _BV(BIT_DRIVE_DOWN);
            }
            if (brake) {
                ON_BRAKE_RELEASE(PORT) |= _BV(BIT_BRAKE_RELEASE);
            }
        }
    }
}

void mega_show(const panel_lights_t *lights) {
    PORTK = (uint8_t)lights->lamps;
    uint8_t high = (uint8_t)((lights->lamps >> 8) & 0x7Fu);
    PORTC = (uint8_t)((PORTC & 0x80u) | high);
    if (lights->buzzer != pitch) {
        pitch = lights->buzzer;
        if (pitch == 0u) {
            TCCR4A = 0u;
            TCCR4B = _BV(WGM42);
        } else {
            OCR4A = (uint16_t)((PITCH_CLOCK + pitch / 2u) / pitch - 1u);
            TCNT4 = 0u;
            TCCR4A = _BV(COM4A0);
            TCCR4B = _BV(WGM42) | _BV(CS41);
        }
    }
}

bool mega_receive(uint8_t *byte) {
    if (received_out == received_in) {
        return false;
    }
    *byte = received[received_out];
    received_out++;
    return true;
}

bool mega_idle(void) { return sending_left == 0u && (UCSR0A & _BV(UDRE0)) != 0u; }

void mega_send(const uint8_t *bytes, uint8_t length) {
    for (uint8_t i = 0u; i < length; i++) {
        sending[i] = bytes[i];
    }
    sending_at = 0u;
    sending_left = length;
    UCSR0B |= _BV(UDRIE0);
}

void mega_feed(void) { wdt_reset(); }

void mega_recall(uint16_t at, void *bytes, uint8_t length) { eeprom_read_block(bytes, (const void *)at, length); }

bool mega_keep(uint16_t at, uint8_t byte) {
    if (!eeprom_is_ready()) {
        return false;
    }
    eeprom_update_byte((uint8_t *)at, byte);
    return true;
}
