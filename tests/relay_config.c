/* tests/relay_config.c - a relay's configuration from a text, for tests. */
#include "tests/relay_config.h"

#include <string.h>

#include "tests/runner.h"

struct relay_settings
test_relay_config(const char *text)
{
    struct relay_settings c;
    char error[CONFIG_ERROR_LEN];
    if (config_read_text(relay_options, relay_options_len, "relay.conf", text,
                         strlen(text), &c, error))
        fail_msg("%s", error);
    return c;
}

void
test_relay_config_free(struct relay_settings *c)
{
    config_free(relay_options, relay_options_len, c);
}
