/* tests/relay_config.h - a relay's configuration from a text, for tests. */
#ifndef TESTS_RELAY_CONFIG_H
#define TESTS_RELAY_CONFIG_H
#include "relay/daemon/daemon.h"

/* Fails the test when the text is refused. */
struct daemon_config test_relay_config(const char *text);
void test_relay_config_free(struct daemon_config *c);
#endif
