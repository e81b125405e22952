/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The firmware's image in simavr, for the simulated table: pins, converter and line on one side, cycles on the other.
 *
 * This file alone of the project is under the GNU General Public License, version 3 or later, because it is linked with
 * simavr, which is. It is shipped as source, and built on this machine only when somebody asks for the machine-code table.
 *
 * Everything from outside comes at an exact cycle, by a cycle timer of the emulator; a watchdog's reset takes these
 * timers away, so that they are set anew after it.
 */
#include <simavr/avr_adc.h>
#include <simavr/avr_eeprom.h>
#include <simavr/avr_extint.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_cycle_timers.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HERTZ 16000000u
#define MILLIVOLTS 5000u
#define SENSES 3u
#define NOISE 4093u
#define WAITING 8192u
#define EVENTS 4096u
#define CHANGES 64u
#define PORTS 12u
#define EEPROM_BYTES 4096u
#define SP_LOW 0x5Du
#define RAM_LOW 0x200u
/* 115,200 baud, ten bits a byte. */
#define BYTE_CYCLES 1389u

/* A port of the drive was written: what the port and its direction register hold from then on. */
typedef struct {
    uint64_t cycle;
    uint8_t port; /* 'B', 'E', 'G' */
    uint8_t value;
} machine_event_t;

typedef struct {
    uint64_t cycle;
    uint8_t port, bit, level;
    bool waits;
} change_t;

typedef struct {
    avr_t *avr;
    void (*own_reset)(avr_t *);
    int32_t millivolts[SENSES];
    int8_t noise[NOISE];
    uint32_t noise_at;
    uint8_t levels[PORTS]; /* of the inputs, by port from A on */
    uint8_t driven[PORTS]; /* which of them something drives */
    uint8_t in[WAITING];
    uint32_t in_from, in_to;
    uint8_t out[WAITING];
    uint32_t out_length;
    machine_event_t events[EVENTS];
    uint32_t event_count;
    uint8_t seen[3];
    change_t changes[CHANGES];
    uint64_t feed_cycle;
    uint32_t resets;
    uint16_t lowest_sp;
    bool was_reset;
    bool lost; /* bytes that did not fit */
} machine_t;

static void no_sleep(avr_t *avr, avr_cycle_count_t how_long) {
    (void)avr;
    (void)how_long;
}

static void no_log(avr_t *avr, const int level, const char *format, va_list arguments) {
    (void)avr;
    (void)level;
    (void)format;
    (void)arguments;
}

static void put_level(machine_t *machine, uint8_t port, uint8_t bit, uint8_t level) {
    uint8_t mask = (uint8_t)(1u << bit), at = (uint8_t)(port - 'A');
    machine->levels[at] = (uint8_t)(level != 0u ? machine->levels[at] | mask : machine->levels[at] & ~mask);
    machine->driven[at] |= mask;
    avr_ioport_external_t external = {.name = port, .mask = machine->driven[at], .value = machine->levels[at]};
    avr_ioctl(machine->avr, AVR_IOCTL_IOPORT_SET_EXTERNAL(port), &external);
    avr_raise_irq(avr_io_getirq(machine->avr, AVR_IOCTL_IOPORT_GETIRQ(port), bit), level != 0u);
}

/* One of the changes is due: make it, and forget it. */
static avr_cycle_count_t change_now(avr_t *avr, avr_cycle_count_t when, void *param) {
    machine_t *machine = param;
    avr_cycle_count_t next = 0;
    (void)avr;
    for (uint32_t i = 0u; i < CHANGES; i++) {
        change_t *change = &machine->changes[i];
        if (change->waits && change->cycle <= when) {
            change->waits = false;
            put_level(machine, change->port, change->bit, change->level);
        } else if (change->waits && (next == 0 || change->cycle < next)) {
            next = change->cycle;
        }
    }
    return next;
}

static void arm_changes(machine_t *machine) {
    avr_cycle_timer_cancel(machine->avr, change_now, machine);
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0u; i < CHANGES; i++) {
        if (machine->changes[i].waits && machine->changes[i].cycle < next) {
            next = machine->changes[i].cycle;
        }
    }
    if (next != UINT64_MAX) {
        uint64_t now = machine->avr->cycle;
        avr_cycle_timer_register(machine->avr, next > now ? next - now : 1u, change_now, machine);
    }
}

/* The line brings its next byte, one in the time that a byte takes. */
static avr_cycle_count_t feed(avr_t *avr, avr_cycle_count_t when, void *param) {
    machine_t *machine = param;
    (void)avr;
    if (machine->in_from == machine->in_to) {
        machine->feed_cycle = 0;
        return 0;
    }
    uint8_t byte = machine->in[machine->in_from % WAITING];
    machine->in_from++;
    avr_raise_irq(avr_io_getirq(machine->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), byte);
    machine->feed_cycle = when + BYTE_CYCLES;
    return machine->feed_cycle;
}

static void converted(struct avr_irq_t *irq, uint32_t value, void *param) {
    machine_t *machine = param;
    /* What is told are the first four bytes of this. */
    union {
        avr_adc_mux_t mux;
        uint32_t told;
    } which = {.mux = {0}};
    (void)irq;
    which.told = value;
    if (which.mux.kind == ADC_MUX_SINGLE && which.mux.src < SENSES) {
        int32_t there = machine->millivolts[which.mux.src];
        if (there > 0) {
            there += machine->noise[machine->noise_at];
            machine->noise_at = (machine->noise_at + 1u) % NOISE;
        }
        there = there < 0 ? 0 : there > (int32_t)MILLIVOLTS ? (int32_t)MILLIVOLTS : there;
        avr_raise_irq(avr_io_getirq(machine->avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_ADC0 + which.mux.src), (uint32_t)there);
    }
}

static void sent(struct avr_irq_t *irq, uint32_t value, void *param) {
    machine_t *machine = param;
    (void)irq;
    if (machine->out_length < WAITING) {
        machine->out[machine->out_length++] = (uint8_t)value;
    } else {
        machine->lost = true;
    }
}

static void note(machine_t *machine, uint8_t port, uint32_t value) {
    if (machine->event_count < EVENTS) {
        machine->events[machine->event_count++] =
            (machine_event_t){.cycle = machine->avr->cycle, .port = port, .value = (uint8_t)value};
    }
}

/* Where PORTB, PORTE and PORTG are in data space. */
static const uint16_t PLACES[3] = {0x25u, 0x2Eu, 0x34u};
static const uint8_t NAMES[3] = {'B', 'E', 'G'};

static void look(machine_t *machine) {
    for (uint32_t i = 0u; i < 3u; i++) {
        uint8_t value = machine->avr->data[PLACES[i]];
        if (value != machine->seen[i]) {
            machine->seen[i] = value;
            note(machine, NAMES[i], value);
        }
    }
}

static void begin_anew(machine_t *machine) {
    uint32_t flags = 0u;
    avr_ioctl(machine->avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(machine->avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    /* Before the firmware has set them, the pins of the e-stop are in the level mode, which here never lets go. */
    for (uint8_t number = 0u; number < 8u; number++) {
        avr_extint_set_strict_lvl_trig(machine->avr, number, 0u);
    }
    for (uint8_t at = 0u; at < PORTS; at++) {
        for (uint8_t bit = 0u; bit < 8u; bit++) {
            if ((machine->driven[at] & (1u << bit)) != 0u) {
                put_level(machine, (uint8_t)('A' + at), bit, (uint8_t)((machine->levels[at] >> bit) & 1u));
            }
        }
    }
    arm_changes(machine);
    if (machine->in_from != machine->in_to) {
        avr_cycle_timer_register(machine->avr, BYTE_CYCLES, feed, machine);
    }
}

/* A reset of any kind: the emulator forgets levels and timers, the table does not. */
static void was_reset(avr_t *avr) {
    machine_t *machine = NULL;
    memcpy(&machine, &avr->custom.data, sizeof machine);
    machine->own_reset(avr);
    machine->resets++;
    machine->was_reset = true;
}

void machine_free(machine_t *machine) {
    if (machine != NULL) {
        avr_terminate(machine->avr);
        free(machine->avr);
        free(machine);
    }
}

/* A board with this image in its flash, just powered: `eeprom` is what its EEPROM holds, NULL an empty one. */
machine_t *machine_new(const uint8_t *image, uint32_t length, const uint8_t *eeprom) {
    machine_t *machine = calloc(1, sizeof *machine);
    avr_global_logger_set(no_log);
    avr_t *avr = avr_make_mcu_by_name("atmega2560");
    if (machine == NULL || avr == NULL || avr_init(avr) != 0 || length > avr->flashend + 1u) {
        free(machine);
        return NULL;
    }
    machine->avr = avr;
    avr->frequency = HERTZ;
    avr->vcc = avr->avcc = avr->aref = MILLIVOLTS;
    avr->sleep = no_sleep;
    avr->log = 0;
    memcpy(avr->flash, image, length);
    avr->codeend = length;
    avr->custom.data = machine;
    machine->own_reset = avr->reset;
    avr->reset = was_reset;
    if (eeprom != NULL) {
        uint8_t *copy = malloc(EEPROM_BYTES);
        memcpy(copy, eeprom, EEPROM_BYTES);
        avr_eeprom_desc_t there = {.ee = copy, .offset = 0, .size = EEPROM_BYTES};
        avr_ioctl(avr, AVR_IOCTL_EEPROM_SET, &there);
        free(copy);
    }
    /* Normal noise of standard deviation 3 mV, as a sum of twelve even draws. */
    uint32_t seed = 1u;
    for (uint32_t i = 0u; i < NOISE; i++) {
        int32_t sum = 0;
        for (uint32_t draw = 0u; draw < 12u; draw++) {
            seed = seed * 1664525u + 1013904223u;
            sum += (int32_t)(seed >> 16) - 32768;
        }
        machine->noise[i] = (int8_t)(sum * 3 / 65536);
    }
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_OUT_TRIGGER), converted, machine);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), sent, machine);
    avr_reset(avr);
    avr_regbit_clear(avr, avr->reset_flags.extrf);
    avr_regbit_clear(avr, avr->reset_flags.borf);
    avr_regbit_clear(avr, avr->reset_flags.wdrf);
    avr_regbit_set(avr, avr->reset_flags.porf);
    machine->resets = 0u;
    machine->was_reset = false;
    machine->lowest_sp = UINT16_MAX;
    begin_anew(machine);
    return machine;
}

/* Runs up to a cycle; false where the processor has stopped for ever. */
bool machine_run(machine_t *machine, uint64_t until) {
    avr_t *avr = machine->avr;
    while (avr->cycle < until) {
        int state = avr_run(avr);
        look(machine);
        if (state == cpu_Done || state == cpu_Crashed) {
            return false;
        }
        uint16_t sp = (uint16_t)(avr->data[SP_LOW] | avr->data[SP_LOW + 1u] << 8);
        if (sp < machine->lowest_sp && sp >= RAM_LOW) {
            machine->lowest_sp = sp;
        }
        if (machine->was_reset) {
            machine->was_reset = false;
            begin_anew(machine);
        }
    }
    return true;
}

/* One instruction at a time from now on, so that events are told to the cycle; a third as fast. */
void machine_exact(machine_t *machine) { machine->avr->run_cycle_limit = 1u; }

uint64_t machine_cycle(const machine_t *machine) { return machine->avr->cycle; }
uint32_t machine_resets(const machine_t *machine) { return machine->resets; }
uint16_t machine_lowest_sp(const machine_t *machine) { return machine->lowest_sp; }
uint32_t machine_pc(const machine_t *machine) { return machine->avr->pc; }
bool machine_lost(const machine_t *machine) { return machine->lost; }
void machine_sense(machine_t *machine, uint32_t channel, int32_t millivolts) {
    machine->millivolts[channel] = millivolts;
}
void machine_pin(machine_t *machine, uint8_t port, uint8_t bit, uint8_t level) {
    put_level(machine, port, bit, level);
}

/* The level of a pin will change at this cycle; false where too many wait. */
bool machine_pin_at(machine_t *machine, uint64_t cycle, uint8_t port, uint8_t bit, uint8_t level) {
    for (uint32_t i = 0u; i < CHANGES; i++) {
        if (!machine->changes[i].waits) {
            machine->changes[i] =
                (change_t){.cycle = cycle, .port = port, .bit = bit, .level = level, .waits = true};
            arm_changes(machine);
            return true;
        }
    }
    return false;
}

/* Bytes for the receiver; returns how many it took. */
uint32_t machine_hear(machine_t *machine, const uint8_t *bytes, uint32_t length) {
    uint32_t taken = 0u;
    while (taken < length && machine->in_to - machine->in_from < WAITING) {
        machine->in[machine->in_to % WAITING] = bytes[taken++];
        machine->in_to++;
    }
    if (machine->feed_cycle == 0u && machine->in_from != machine->in_to) {
        machine->feed_cycle = machine->avr->cycle + BYTE_CYCLES;
        avr_cycle_timer_register(machine->avr, BYTE_CYCLES, feed, machine);
    }
    return taken;
}

/* What was sent since the last call. */
uint32_t machine_said(machine_t *machine, uint8_t *bytes) {
    uint32_t length = machine->out_length;
    memcpy(bytes, machine->out, length);
    machine->out_length = 0u;
    return length;
}

/* The changes of the drive's ports since the last call. */
uint32_t machine_events(machine_t *machine, machine_event_t *events) {
    uint32_t count = machine->event_count;
    memcpy(events, machine->events, count * sizeof *events);
    machine->event_count = 0u;
    return count;
}

/* Data memory: registers, I/O and RAM, by their data-space address. */
uint8_t *machine_data(machine_t *machine) { return machine->avr->data; }
uint8_t *machine_flash(machine_t *machine) { return machine->avr->flash; }

void machine_eeprom(machine_t *machine, uint8_t *bytes) {
    avr_eeprom_desc_t there = {.ee = NULL, .offset = 0, .size = EEPROM_BYTES};
    avr_ioctl(machine->avr, AVR_IOCTL_EEPROM_GET, &there);
    memcpy(bytes, there.ee, EEPROM_BYTES);
}

/* Runs until the instruction at this address comes next, at most up to a cycle; false where it did not come. */
bool machine_run_to_address(machine_t *machine, uint32_t address, uint64_t until) {
    do {
        if (!machine_run(machine, machine->avr->cycle + 1u)) {
            return false;
        }
    } while (machine->avr->pc != address && machine->avr->cycle < until);
    return machine->avr->pc == address;
}
