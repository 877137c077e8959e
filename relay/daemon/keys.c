/* relay/daemon/keys.c - key files and the mapped replay set. */
#include "relay/daemon/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/os/database.h"
#include "lib/os/files.h"
#include "lib/os/wipe.h"

int
keys_identity(const char *dir, uint8_t **seed, char why[static KEYS_WHY_LEN])
{
    char path[FILES_PATH_MAX];
    *seed = NULL;
    why[0] = 0;
    int err = files_path(path, dir, "identity.key");
    if (!err && access(path, F_OK) && errno == ENOENT)
        err = ERR_NOT_FOUND;
    if (!err)
        err = files_key(path, seed);
    if (err == ERR_NOT_FOUND)
        snprintf(why, KEYS_WHY_LEN,
                 "%.100s is gone: restore it from a copy; without it this is "
                 "another relay, which 'brusio-relay init' makes in another "
                 "directory",
                 path);
    else if (err)
        snprintf(why, KEYS_WHY_LEN,
                 "%.100s cannot be used: %s; restore it from a copy", path,
                 err == ERR_IO ? strerror(errno) : error_text(err));
    return err;
}

static bool
mode_is_open(const char *path, char why[static KEYS_WHY_LEN])
{
    struct stat st;
    if (stat(path, &st) || (st.st_mode & 077) == 0)
        return false;
    snprintf(why, KEYS_WHY_LEN,
             "%.100s is open to other users (mode %03o); chmod %s", path,
             (unsigned)st.st_mode & 0777, S_ISDIR(st.st_mode) ? "700" : "600");
    return true;
}

void
keys_openness(const char *dir, char why[static KEYS_WHY_LEN])
{
    char path[FILES_PATH_MAX];
    why[0] = 0;
    if (!mode_is_open(dir, why) && !files_path(path, dir, "identity.key"))
        (void)mode_is_open(path, why);
}

int
keys_seed(const char *dir, uint32_t epoch, uint8_t **seed)
{
    char name[40], path[FILES_PATH_MAX];
    snprintf(name, sizeof name, "packet-%u.key", epoch);
    int err = files_path(path, dir, name);
    return err ? err : files_key(path, seed);
}

int
keys_forget(const char *dir, uint32_t epoch)
{
    char path[FILES_PATH_MAX], end;
    unsigned number;
    int err = 0;
    DIR *d = opendir(dir);
    if (!d)
        return files_error(errno);
    for (struct dirent *e; (e = readdir(d));)
        if (sscanf(e->d_name, "packet-%u.ke%c", &number, &end) == 2 &&
            number < epoch &&
            (files_path(path, dir, e->d_name) || wipe_file(path)))
            err = ERR_IO;
    closedir(d);
    return err;
}

/* Is there a key under which packets may have been accepted? */
static bool
keys_exist(const char *dir)
{
    unsigned number;
    char end;
    bool found = false;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && !found && (e = readdir(d));)
        found = sscanf(e->d_name, "packet-%u.ke%c", &number, &end) == 2;
    if (d)
        closedir(d);
    return found;
}

struct replay_file {
    int fd; /* open for the lock on it */
    void *region;
    size_t len;
    struct replay *set;
};

/* Tell which start of the machine this is. Where nobody says, every start is
 * new. */
static void
boot_id(uint8_t boot[static REPLAY_BOOT_LEN])
{
    uint8_t text[64] = {0};
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    if (n > 0)
        crypto_generichash(boot, REPLAY_BOOT_LEN, text, (size_t)n, NULL, 0);
    else
        randombytes_buf(boot, REPLAY_BOOT_LEN);
}

/* Open the file; make: make it if it is not there. Returns 0 or files_error(). */
static int
replay_descriptor(const char *dir, bool make, int *fd)
{
    char path[FILES_PATH_MAX];
    int err = files_path(path, dir, "replay");
    *fd =
        err ? -1 : open(path, O_RDWR | (make ? O_CREAT : 0) | O_CLOEXEC, 0600);
    return err || *fd >= 0 ? err : files_error(errno);
}

int
replay_file_look(const char *dir)
{
    int fd;
    const int err = replay_descriptor(dir, false, &fd);
    if (err)
        return errno == ENOENT ? 0 : err;
    close(fd);
    return 0;
}

int
replay_file_open(struct replay_file **out, const char *dir, size_t tags,
                 bool *wait)
{
    int fd;
    uint8_t boot[REPLAY_BOOT_LEN], key[16];
    struct stat st = {0};
    struct replay_file *f = calloc(1, sizeof *f);
    *out = NULL;
    *wait = false;
    if (!f)
        return ERR_NOMEM;
    f->len = (replay_region_len(tags) + 4095) / 4096 * 4096;
    int err = replay_descriptor(dir, true, &fd);
    f->fd = fd;
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
        replay_file_close(&f);
        return ERR_AGAIN;
    }
    if (!err && fstat(fd, &st))
        err = files_error(errno);
    if (!err) /* or the first packet that finds the disk full ends the relay */
        err = files_reserve(fd, f->len);
    if (!err && ftruncate(fd, (off_t)f->len))
        err = files_error(errno);
    if (!err) {
        f->region =
            mmap(NULL, f->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (f->region == MAP_FAILED) {
            f->region = NULL;
            err = ERR_NOMEM;
        }
    }
    boot_id(boot);
    if (!err && st.st_size == (off_t)f->len)
        err = replay_open(&f->set, f->region, f->len, boot);
    if ((!err && !f->set) || err == ERR_VERSION || err == ERR_FORMAT) {
        /* not sound, or another size was configured, or it was deleted */
        const bool doubt = st.st_size != 0 || keys_exist(dir);
        randombytes_buf(key, sizeof key);
        err = replay_create(&f->set, f->region, f->len, key, boot, doubt);
        /* all of it was written; what is used comes back page by page */
        (void)madvise(f->region, f->len, MADV_DONTNEED);
    }
    if (err) {
        replay_file_close(&f);
        return err;
    }
    *wait = replay_is_in_doubt(f->set);
    *out = f;
    return 0;
}

const char *
replay_file_remedy(int err)
{
    return err == ERR_KIND ? "it is a directory, link or device, no ordinary "
                             "file; move it away: another is made, and packets "
                             "are taken again two minutes later"
                           : database_remedy(err);
}

struct replay *
replay_file_set(struct replay_file *f)
{
    return f->set;
}

void
replay_file_close(struct replay_file **fp)
{
    struct replay_file *f = *fp;
    *fp = NULL;
    if (!f)
        return;
    replay_free(&f->set);
    if (f->region)
        munmap(f->region, f->len);
    if (f->fd >= 0)
        close(f->fd);
    free(f);
}
