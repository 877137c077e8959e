/* lib/os/sandbox.c - users, Landlock, seccomp; Linux alone. No state.
 *
 * The list of calls names what is forbidden, not what is allowed: libraries
 * change the calls they use from one release to the next, and a relay that dies
 * of it helps nobody. Files are the stronger half: whoever takes the process
 * over finds the relay's own folder and no more. */
#include "lib/os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

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
    if (initgroups(user, gid) || setgid(gid) || setuid(uid))
        return ERR_SYSTEM;
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
#include <sys/prctl.h>
#include <sys/syscall.h>

/* ---- files ---- */

enum {
    READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    FIRST = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 /* all of version 1 */
};

/* All rights that this kernel knows of, and the headers. */
static uint64_t
rights_known(long version)
{
    uint64_t rights = FIRST;
#ifdef LANDLOCK_ACCESS_FS_REFER
    rights |= version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
#endif
#ifdef LANDLOCK_ACCESS_FS_TRUNCATE
    rights |= version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
#endif
    return rights;
}

static int
rule_add(int rules, const char *path, uint64_t rights, bool folder)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = rights, .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : ERR_SYSTEM;
    long bad = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
                       &rule, 0);
    if (bad && errno == EINVAL && !folder) { /* a file has no entries to read */
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
        bad = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
                      &rule, 0);
    }
    close(rule.parent_fd);
    return bad ? ERR_SYSTEM : 0;
}

int
sandbox_files(const char *const *rw, const char *const *ro)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
                           LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return ERR_UNSUPPORTED;
    const struct landlock_ruleset_attr all = {.handled_access_fs =
                                                  rights_known(version)};
    const uint64_t write =
        all.handled_access_fs & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (rules < 0)
        return ERR_SYSTEM;
    int err = 0;
    for (; *rw && !err; rw++)
        err = rule_add(rules, *rw, write, true);
    for (; *ro && !err; ro++)
        err = rule_add(rules, *ro, READ, false);
    if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
                 syscall(SYS_landlock_restrict_self, rules, 0)))
        err = ERR_SYSTEM;
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
};
enum {
    FORBIDDEN = sizeof forbidden / sizeof *forbidden,
    FILTER_MAX = 16 + 2 * FORBIDDEN
};

static struct sock_filter
load(size_t at)
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
verdict(uint32_t value)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value);
}

int
sandbox_calls(void)
{
    const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
    struct sock_filter f[FILTER_MAX];
    unsigned short n = 0;
    /* calls of another architecture have other numbers */
    f[n++] = load(offsetof(struct seccomp_data, arch));
    f[n++] = jump_equal(ARCHITECTURE, 1, 0);
    f[n++] = verdict(refuse);
    f[n++] = load(offsetof(struct seccomp_data, nr));
#ifdef __x86_64__ /* nor the 32-bit pointers' numbers */
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000,
                                          0, 1);
    f[n++] = verdict(refuse);
#endif
    for (size_t i = 0; i < FORBIDDEN; i++) {
        f[n++] = jump_equal(forbidden[i], 0, 1);
        f[n++] = verdict(refuse);
    }
    f[n++] = jump_equal(SYS_socket, 1, 0);
    f[n++] = verdict(SECCOMP_RET_ALLOW);
    f[n++] = load(offsetof(struct seccomp_data, args[0]));
    f[n++] = jump_equal(AF_INET, 3, 0);
    f[n++] = jump_equal(AF_INET6, 2, 0);
    f[n++] = jump_equal(AF_UNIX, 1, 0);
    f[n++] = verdict(refuse);
    f[n++] = verdict(SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {.len = n, .filter = f};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return ERR_SYSTEM;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                &program))
        return errno == ENOSYS || errno == EINVAL ? ERR_UNSUPPORTED
                                                  : ERR_SYSTEM;
    return 0;
}
#else
int
sandbox_calls(void)
{
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
sandbox_calls(void)
{
    return ERR_UNSUPPORTED;
}
#endif
