/* lib/os/sandbox.c - users, Landlock, seccomp; Linux alone. No state.
 *
 * The list of calls names what is forbidden, not what is allowed: libraries
 * change the calls they use from one release to the next, and a relay that dies
 * of a new call helps nobody. Files are the stronger half: whoever takes the
 * process over finds the relay's own folder and no more. */
#include "lib/os/sandbox.h"
#include "lib/os/system.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* The kernel forgets by which signal to end with the parent when the user
 * changes. Returns that signal. */
static int
parent_signal(void)
{
    int signal = 0;
#ifdef __linux__
    prctl(PR_GET_PDEATHSIG, &signal);
#endif
    return signal;
}

static void
parent_signal_set(int signal)
{
#ifdef __linux__
    if (signal)
        prctl(PR_SET_PDEATHSIG, signal);
#else
    (void)signal;
#endif
}

int
sandbox_user(const char *user)
{
    errno = 0;
    const struct passwd *p = getpwnam(user);
    if (!p)
        return ERR_NOT_FOUND;
    const uid_t uid = p->pw_uid;
    const gid_t gid = p->pw_gid;
    if (geteuid() == uid && getuid() == uid)
        return 0;
    const int signal = parent_signal();
    if (initgroups(user, gid) || setgid(gid) || setuid(uid))
        return system_error();
    parent_signal_set(signal);
    /* is it final? */
    if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
        return ERR_SYSTEM;
    return getuid() == uid && geteuid() == uid && getgid() == gid ? 0
                                                                  : ERR_SYSTEM;
}

#ifdef __linux__
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

/* ---- files ---- */

enum {
    READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    WRITE = READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
            LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
            LANDLOCK_ACCESS_FS_REMOVE_DIR,
    FIRST = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 /* all of version 1 */
};
/* A right since version 3 of Landlock, which headers may be older than. */
static const uint64_t right_truncate = UINT64_C(1) << 14;

/* All rights that this kernel knows of, and the headers. */
static uint64_t
rights_known(long version)
{
    uint64_t rights = FIRST;
#ifdef LANDLOCK_ACCESS_FS_REFER
    rights |= version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
#endif
    rights |= version >= 3 ? right_truncate : 0;
    return rights;
}

static int
rule_add(int rules, const char *path, uint64_t rights, bool folder)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = rights, .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : system_error();
    long bad = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
                       &rule, 0);
    if (bad && errno == EINVAL && !folder) { /* a file has no entries to read */
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
        bad = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
                      &rule, 0);
    }
    const int err = bad ? system_error() : 0;
    close(rule.parent_fd);
    return err;
}

int
sandbox_files(const char *const *rw, const char *const *ro)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
                           LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) /* else somebody's filter of calls forbids it */
        return errno == ENOSYS || errno == EOPNOTSUPP ? ERR_UNSUPPORTED
                                                      : system_error();
    const struct landlock_ruleset_attr all = {.handled_access_fs =
                                                  rights_known(version)};
    const uint64_t write = WRITE | (all.handled_access_fs & right_truncate);
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (rules < 0)
        return system_error();
    int err = 0;
    for (; *rw && !err; rw++)
        err = rule_add(rules, *rw, write, true);
    for (; *ro && !err; ro++)
        err = rule_add(rules, *ro, READ, false);
    if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
                 syscall(SYS_landlock_restrict_self, rules, 0)))
        err = system_error();
    close(rules);
    return err;
}

/* ---- calls ---- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE
/* Forbidden to every daemon. */
static const uint32_t forbidden[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsmount,
#ifdef SYS_pidfd_getfd
    SYS_pidfd_getfd,
#endif
};

/* Forbidden besides to a daemon that has settled. A file's owner, mode or
 * length may not be changed by its path: Landlock knows nothing of owner and
 * mode, nor of length before version 3. */
static const uint32_t settled_forbidden[] = {
    SYS_bind,
    SYS_listen,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_truncate,
#ifdef SYS_pidfd_send_signal
    SYS_pidfd_send_signal,
#endif
#ifdef SYS_chmod
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
#endif
    SYS_fchmodat,
#ifdef SYS_fchmodat2
    SYS_fchmodat2,
#endif
    SYS_fchownat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_shmget,
    SYS_shmat,
    SYS_shmctl,
    SYS_msgget,
    SYS_semget,
    SYS_mq_open,
};
enum {
    FORBIDDEN = sizeof forbidden / sizeof *forbidden,
    SETTLED = sizeof settled_forbidden / sizeof *settled_forbidden,
    FILTER_MAX = 32 + 2 * (FORBIDDEN + SETTLED)
};
static const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;

static struct sock_filter
filter_load(size_t at)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at);
}

static struct sock_filter
jump_equal(uint32_t value, uint8_t yes, uint8_t no)
{
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes,
                                        no);
}

static struct sock_filter
filter_return(uint32_t value)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value);
}

/* Each of these functions adds to a filter of n instructions, which has the
 * call's number at hand, and returns the new length. */
static unsigned short
calls_refuse(struct sock_filter *f, unsigned short n, const uint32_t *call,
             size_t n_calls)
{
    for (size_t i = 0; i < n_calls; i++) {
        f[n++] = jump_equal(call[i], 0, 1);
        f[n++] = filter_return(refuse);
    }
    return n;
}

/* Nobody types into the terminal that a daemon was started from. */
static unsigned short
ioctls_refuse(struct sock_filter *f, unsigned short n)
{
    f[n++] = jump_equal(SYS_ioctl, 0, 5);
    f[n++] = filter_load(offsetof(struct seccomp_data, args[1]));
    f[n++] = jump_equal(TIOCSTI, 1, 0);
    f[n++] = jump_equal(TIOCLINUX, 0, 1);
    f[n++] = filter_return(refuse);
    f[n++] = filter_return(SECCOMP_RET_ALLOW);
    return n;
}

/* Allow signals to the process itself alone, as abort() sends them. */
static unsigned short
signals_refuse(struct sock_filter *f, unsigned short n)
{
    f[n++] = jump_equal(SYS_tgkill, 0, 4);
    f[n++] = filter_load(offsetof(struct seccomp_data, args[0]));
    f[n++] = jump_equal((uint32_t)getpid(), 1, 0);
    f[n++] = filter_return(refuse);
    f[n++] = filter_return(SECCOMP_RET_ALLOW);
    return n;
}

/* The first so many of these kinds of sockets are allowed. */
static unsigned short
sockets_refuse(struct sock_filter *f, unsigned short n, uint8_t n_allowed)
{
    static const uint32_t family[] = {AF_INET, AF_INET6, AF_UNIX};
    f[n++] = jump_equal(SYS_socket, 1, 0);
    f[n++] = filter_return(SECCOMP_RET_ALLOW);
    f[n++] = filter_load(offsetof(struct seccomp_data, args[0]));
    for (uint8_t i = 0; i < n_allowed; i++)
        f[n++] = jump_equal(family[i], (uint8_t)(n_allowed - i), 0);
    f[n++] = filter_return(refuse);
    f[n++] = filter_return(SECCOMP_RET_ALLOW);
    return n;
}

int
sandbox_calls(bool settled)
{
    struct sock_filter f[FILTER_MAX];
    unsigned short n = 0;
    /* calls of another architecture have other numbers */
    f[n++] = filter_load(offsetof(struct seccomp_data, arch));
    f[n++] = jump_equal(ARCHITECTURE, 1, 0);
    f[n++] = filter_return(refuse);
    f[n++] = filter_load(offsetof(struct seccomp_data, nr));
#ifdef __x86_64__ /* nor the 32-bit pointers' numbers */
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000,
                                          0, 1);
    f[n++] = filter_return(refuse);
#endif
    n = calls_refuse(f, n, forbidden, FORBIDDEN);
    if (settled) {
        n = calls_refuse(f, n, settled_forbidden, SETTLED);
        n = signals_refuse(f, n);
    }
    n = ioctls_refuse(f, n);
    n = sockets_refuse(f, n, settled ? 2 : 3);
    const struct sock_fprog program = {.len = n, .filter = f};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return system_error();
    /* with a line in the kernel's log for what is refused, if it can */
    const unsigned flags[] = {SECCOMP_FILTER_FLAG_TSYNC |
                                  SECCOMP_FILTER_FLAG_LOG,
                              SECCOMP_FILTER_FLAG_TSYNC};
    long bad = -1;
    for (size_t i = 0; i < 2 && bad; i++)
        bad = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags[i], &program);
    return !bad                                 ? 0
           : errno == ENOSYS || errno == EINVAL ? ERR_UNSUPPORTED
                                                : system_error();
}
#else
int
sandbox_calls(bool settled)
{
    (void)settled;
    return ERR_UNSUPPORTED;
}
#endif
#else
int
sandbox_files(const char *const *rw, const char *const *ro)
{
    (void)rw;
    (void)ro;
    return ERR_UNSUPPORTED;
}

int
sandbox_calls(bool settled)
{
    (void)settled;
    return ERR_UNSUPPORTED;
}
#endif
