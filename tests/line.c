/* tests/line.c - a filter on the socket that lets nothing through. */
#include "tests/line.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include "lib/os/link_internal.h"
#include "tests/runner.h"

void
line_cut(const struct link *l, bool cut)
{
    struct sock_filter nothing = {BPF_RET | BPF_K, 0, 0, 0};
    struct sock_fprog program = {1, &nothing};
    assert_int_equal(setsockopt(l->fd, SOL_SOCKET,
                                cut ? SO_ATTACH_FILTER : SO_DETACH_FILTER,
                                &program, sizeof program),
                     0);
}
