/* relay/operator/top.c - reading status.json and showing it, once or live.
 *
 * On a terminal the picture is drawn on the alternate screen, line by line over
 * the last one, and the terminal is put back however this ends. */
#include "relay/operator/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lib/os/clock.h"
#include "lib/os/files.h"
#include "relay/daemon/daemon.h"
#include "relay/operator/status.h"

enum { TURN_MS = 1000, ROWS = 24 };

static enum status_process
process_of(uint64_t pid)
{
    if (pid == 0)
        return STATUS_UNKNOWN;
    if (kill((pid_t)pid, 0) == 0 || errno == EPERM)
        return STATUS_ALIVE;
    return STATUS_GONE;
}

/* Print the status to a stream. Returns the exit status. */
static int
status_show(const char *dir, FILE *to)
{
    char path[FILES_PATH_MAX];
    struct status s;
    uint8_t *text = NULL;
    size_t len;
    int err = files_path(path, dir, "status.json");
    if (!err)
        err = files_read(path, STATUS_FILE_MAX, &text, &len);
    if (err == ERR_NOT_FOUND) {
        fprintf(to,
                "error: no relay has run in %s yet; start it with "
                "'brusio-relay run --dir %s'\n",
                dir, dir);
        return 1;
    }
    if (!err)
        err = status_read_json(&s, text, len);
    free(text);
    if (err) {
        fprintf(to, "error: %s cannot be understood (%s); %s\n", path,
                error_text(err),
                err == ERR_VERSION ? "it is by another version of brusio-relay"
                                   : "restart the relay, which writes it anew");
        return 1;
    }
    if (files_path(path, dir, hibernate_left_name) == 0)
        s.left = access(path, F_OK) == 0;
    return status_print(&s, process_of(s.pid), clock_wall_s(), to);
}

int
top_print(const char *dir)
{
    return status_show(dir, stdout);
}

static volatile sig_atomic_t stopped;

static void
top_stop(int signo)
{
    (void)signo;
    stopped = 1;
}

/* Wait a second, or less when a key is pressed or a signal comes. */
static void
wait_turn(int tty)
{
    struct pollfd key = {.fd = tty ? STDIN_FILENO : -1, .events = POLLIN};
    if (!stopped && poll(&key, 1, TURN_MS) > 0)
        stopped = 1;
}

/* Draw a text line by line over the last picture; what does not fit is left
 * out. */
static void
top_draw(const char *text)
{
    struct winsize size = {0};
    unsigned rows = ROWS;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
        rows = size.ws_row;
    fputs("\033[H", stdout);
    for (unsigned row = 0; *text && row + 2 < rows; row++) {
        const size_t n = strcspn(text, "\n");
        printf("%.*s\033[K\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
    fputs("\033[K\n\033[2mnew every five seconds, counts every minute; any key "
          "ends\033[0m\033[K\033[J",
          stdout);
    fflush(stdout);
}

static int
draw_once(const char *dir, int tty)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return 1;
    const int bad = status_show(dir, f);
    if (fclose(f) == 0 && tty)
        top_draw(text);
    else if (text) {
        printf("%s\n", text);
        fflush(stdout);
    }
    free(text);
    return bad;
}

int
top_follow(const char *dir, int once)
{
    const int tty = !once && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
    struct sigaction act = {.sa_handler = top_stop};
    struct termios saved, raw;
    int bad;
    if (once)
        return status_show(dir, stdout);
    stopped = 0;
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    if (tty) {
        tcgetattr(STDIN_FILENO, &saved);
        raw = saved;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        fputs("\033[?1049h\033[?7l\033[?25l\033[2J", stdout);
    }
    do {
        bad = draw_once(dir, tty);
        wait_turn(tty);
    } while (!stopped && !ferror(stdout));
    if (tty) {
        fputs("\033[?25h\033[?7h\033[?1049l", stdout);
        fflush(stdout);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
    }
    return bad;
}
