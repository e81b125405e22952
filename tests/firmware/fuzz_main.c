/* Runs a libFuzzer target without libFuzzer: COUNT inputs made of the files named, cut, joined and spoilt at random.
 *
 *     fuzz_main COUNT SEED FILE...
 *
 * No coverage guides it, so it finds less; but it needs no clang, and the target is tried on every machine.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 1024u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t pool[1u << 16];
static size_t pooled;
static uint64_t state;

static uint32_t below(uint32_t bound) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545F4914F6CDD1Du) >> 33) % bound;
}

int main(int count, char **arguments) {
    if (count < 4) {
        return 2;
    }
    for (int at = 3; at < count; at++) {
        FILE *file = fopen(arguments[at], "rb");
        if (file == NULL) {
            return 2;
        }
        pooled += fread(pool + pooled, 1, sizeof pool - pooled, file);
        (void)fclose(file);
    }
    if (pooled == 0u) {
        return 2;
    }
    state = 2u * strtoull(arguments[2], NULL, 10) + 1u;
    for (unsigned long left = strtoul(arguments[1], NULL, 10); left > 0u; left--) {
        uint8_t input[LARGEST];
        size_t size = 0;
        for (uint32_t parts = 1u + below(8u); parts > 0u; parts--) {
            const size_t from = below((uint32_t)pooled);
            size_t length = 1u + below(120u);
            length = length < pooled - from ? length : pooled - from;
            length = length < LARGEST - size ? length : LARGEST - size;
            memcpy(input + size, pool + from, length);
            size += length;
        }
        for (uint32_t spoilt = below(6u); spoilt > 0u; spoilt--) {
            input[below((uint32_t)size)] = (uint8_t)below(256u);
        }
        /* A copy of just this size, so that a sanitizer sees the first byte beyond it. */
        uint8_t *exact = malloc(size);
        if (exact == NULL) {
            return 2;
        }
        memcpy(exact, input, size);
        (void)LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    return 0;
}
