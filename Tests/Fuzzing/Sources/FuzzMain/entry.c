/* libFuzzer's entry: which parser gets the input is chosen once, by the environment (see run.sh). */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Targets.swift; -1: there is no target of that name. */
int32_t roundhouse_fuzz_select(const char *name);
void roundhouse_fuzz_one(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    const char *name = getenv("FUZZ_TARGET");
    if (name == NULL || roundhouse_fuzz_select(name) != 0) {
        fprintf(stderr, "FUZZ_TARGET does not name a target\n");
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    roundhouse_fuzz_one(data, size);
    return 0;
}
