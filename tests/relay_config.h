/* tests/relay_config.h - a relay's configuration from a text, for tests. */
#ifndef TESTS_RELAY_CONFIG_H
#define TESTS_RELAY_CONFIG_H
#include "relay/daemon/daemon.h"

/* Fails the test when the text is refused. */
struct relay_settings test_relay_config(const char *text);
void test_relay_config_free(struct relay_settings *c);
#endif
