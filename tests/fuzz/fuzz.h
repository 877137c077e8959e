/* tests/fuzz/fuzz.h - the harnesses: each takes one input, always returns 0,
 * and aborts when something is wrong. With BRUSIO_FUZZ (`make fuzz`) each is a
 * program of libFuzzer's besides. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H
#include <stddef.h>
#include <stdint.h>

int fuzz_parsers(const uint8_t *data, size_t len);
int fuzz_sphinx(const uint8_t *data, size_t len);
#endif
