/* SPDX-License-Identifier: MPL-2.0 */

#define _GNU_SOURCE /* ptsname_r(3), POSIX_SPAWN_SETSID */

#include "testkit.h"

#include "pty_kit.h"

#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PTYS_MAX = 16, ARGS_MAX = 48, PARAMS_MAX = 16, LINE_LEN = PTY_WIDTH_MAX * 4 + 1 };

struct cell {
    char bytes[5]; /* UTF-8; "" is a space */
    unsigned char marks;
    bool is_rest; /* of the wide character to its left */
};

enum state { PLAIN, ESCAPE, SEQUENCE, CHARSET, COMMAND };

struct pty {
    int fd;
    int slave; /* kept open: its modes are there after the program */
    pid_t pid;
    int status; /* -1: runs */
    unsigned width, height;
    struct cell cells[PTY_HEIGHT_MAX][PTY_WIDTH_MAX];
    unsigned x, y, top, bottom; /* scrolling between these lines */
    unsigned marks;
    enum state state;
    char sequence[64];
    size_t len;
    struct cell last; /* character, for repeating it */
    char part[5];     /* of a character that is not whole yet */
    bool is_alternate, is_cursor_hidden;
    char line[LINE_LEN];
};

static struct pty *ptys[PTYS_MAX];
static size_t pty_count;

static int64_t
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what an xterm does ---- */

static void
clear(struct pty *p, unsigned y, unsigned from, unsigned to)
{
    for (unsigned x = from; x < to && x < PTY_WIDTH_MAX; x++)
        p->cells[y][x] = (struct cell){ .marks = (unsigned char)(p->marks & PTY_REVERSE) };
}

/* Lines of the region from y on move down, or up when by is below 0. */
static void
scroll(struct pty *p, unsigned y, int by)
{
    unsigned count = (unsigned)(by < 0 ? -by : by);
    for (unsigned i = 0; i < count && y <= p->bottom; i++) {
        size_t lines = p->bottom - y;
        if (by > 0)
            memmove(p->cells[y + 1], p->cells[y], lines * sizeof p->cells[0]);
        else
            memmove(p->cells[y], p->cells[y + 1], lines * sizeof p->cells[0]);
        clear(p, by > 0 ? y : p->bottom, 0, PTY_WIDTH_MAX);
    }
}

static void
feed_line(struct pty *p)
{
    if (p->y == p->bottom)
        scroll(p, p->top, -1);
    else if (p->y + 1 < p->height)
        p->y++;
}

/* Columns that a character takes: those of East Asia two. */
static unsigned
columns_of(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;
    unsigned c = at[0] >= 0xe0 && at[0] < 0xf0
                     ? (at[0] & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU)
                     : 0;
    return c >= 0x2e80 && c < 0xd7a4 ? 2 : 1;
}

static void
put_cell(struct pty *p, const struct cell *cell)
{
    unsigned wide = columns_of(cell->bytes);
    if (p->x + wide > p->width) {
        p->x = 0;
        feed_line(p);
    }
    p->last = *cell;
    for (unsigned i = 0; i < wide; i++) {
        p->cells[p->y][p->x] = i == 0 ? *cell : (struct cell){ .bytes = "" };
        p->cells[p->y][p->x].is_rest = i > 0;
        p->cells[p->y][p->x++].marks = (unsigned char)p->marks;
    }
}

static void
set_marks(struct pty *p, const int *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int n = params[i];
        if (n == 0)
            p->marks = 0;
        else if (n == 1)
            p->marks |= PTY_BOLD;
        else if (n == 2)
            p->marks |= PTY_DIM;
        else if (n == 4)
            p->marks |= PTY_UNDERLINE;
        else if (n == 7)
            p->marks |= PTY_REVERSE;
        else if (n == 22)
            p->marks &= ~(unsigned)(PTY_BOLD | PTY_DIM);
        else if (n == 24)
            p->marks &= ~(unsigned)PTY_UNDERLINE;
        else if (n == 27)
            p->marks &= ~(unsigned)PTY_REVERSE;
        else if (n == 39)
            p->marks &= ~(unsigned)PTY_COLOUR;
        else if ((n >= 30 && n <= 37) || (n >= 90 && n <= 97))
            p->marks |= PTY_COLOUR;
        else if (n != 49 && !(n >= 40 && n <= 47))
            fail_msg("unknown attribute %d", n);
    }
}

static void
set_mode(struct pty *p, const char *text, bool is_on)
{
    int mode = (int)strtol(text + 1, NULL, 10);
    if (mode == 1049)
        p->is_alternate = is_on;
    else if (mode == 25)
        p->is_cursor_hidden = !is_on;
    if (mode == 1049)
        memset(p->cells, 0, sizeof p->cells);
}

static void
shift(struct pty *p, unsigned count, bool is_right)
{
    struct cell *line = p->cells[p->y];
    unsigned rest = p->width - p->x;
    count = count < rest ? count : rest;
    if (is_right) {
        memmove(line + p->x + count, line + p->x, (rest - count) * sizeof *line);
        clear(p, p->y, p->x, p->x + count);
    } else {
        memmove(line + p->x, line + p->x + count, (rest - count) * sizeof *line);
        clear(p, p->y, p->width - count, p->width);
    }
}

static void
erase(struct pty *p, int how, bool is_screen)
{
    if (how == 0 || how == 2)
        clear(p, p->y, how == 2 ? 0 : p->x, PTY_WIDTH_MAX);
    if (how == 1)
        clear(p, p->y, 0, p->x + 1);
    for (unsigned y = 0; is_screen && y < p->height; y++) {
        bool is_hit = how == 2 || (how == 0 && y > p->y) || (how == 1 && y < p->y);
        if (is_hit)
            clear(p, y, 0, PTY_WIDTH_MAX);
    }
}

static unsigned
within(int value, unsigned count)
{
    if (value < 0)
        return 0;
    return (unsigned)value < count ? (unsigned)value : count - 1;
}

/* Moves of the cursor: n as told, or 1. Returns false when it is none. */
static bool
move(struct pty *p, char what, int n, int second)
{
    switch (what) {
    case 'A':
        p->y = within((int)p->y - n, p->height);
        return true;
    case 'B':
        p->y = within((int)p->y + n, p->height);
        return true;
    case 'C':
        p->x = within((int)p->x + n, p->width);
        return true;
    case 'D':
        p->x = within((int)p->x - n, p->width);
        return true;
    case 'G':
        p->x = within(n - 1, p->width);
        return true;
    case 'd':
        p->y = within(n - 1, p->height);
        return true;
    case 'H':
        p->y = within(n - 1, p->height);
        p->x = within((second > 0 ? second : 1) - 1, p->width);
        return true;
    case 'r':
        p->top = within(n - 1, p->height);
        p->bottom = within((second > 0 ? second : (int)p->height) - 1, p->height);
        p->x = p->y = 0;
        return true;
    default:
        return false;
    }
}

static void
repeat(struct pty *p, int n)
{
    struct cell again = p->last;
    for (; n > 0; n--)
        put_cell(p, &again);
}

/* ESC [ ... what */
static void
obey(struct pty *p, char what)
{
    int params[PARAMS_MAX] = { 0 };
    size_t count = 0;
    const char *at = p->sequence;
    if (*at == '?' || *at == '>') {
        if (what == 'h' || what == 'l')
            set_mode(p, at, what == 'h');
        return;
    }
    for (char *end = NULL; count < PARAMS_MAX; at = end + 1) {
        params[count++] = (int)strtol(at, &end, 10);
        if (*end != ';')
            break;
    }
    int n = params[0] > 0 ? params[0] : 1;
    if (move(p, what, n, params[1]))
        return;
    switch (what) {
    case 'J':
        erase(p, params[0], true);
        break;
    case 'K':
        erase(p, params[0], false);
        break;
    case 'X':
        clear(p, p->y, p->x, p->x + (unsigned)n);
        break;
    case 'P':
        shift(p, (unsigned)n, false);
        break;
    case '@':
        shift(p, (unsigned)n, true);
        break;
    case 'L':
        scroll(p, p->y, n);
        break;
    case 'M':
        scroll(p, p->y, -n);
        break;
    case 'S':
        scroll(p, p->top, -n);
        break;
    case 'T':
        scroll(p, p->top, n);
        break;
    case 'b':
        repeat(p, n);
        break;
    case 'm':
        set_marks(p, params, count);
        break;
    case 'h':
    case 'l':
    case 't':
        break;
    default:
        fail_msg("unknown sequence: ESC [ %s %c", p->sequence, what);
    }
}

static void
take_plain(struct pty *p, unsigned char c)
{
    switch (c) {
    case 0x1b:
        p->state = ESCAPE;
        return;
    case '\r':
        p->x = 0;
        return;
    case '\n':
        feed_line(p);
        return;
    case '\b':
        p->x -= p->x > 0;
        return;
    case '\t':
        p->x = within((int)(p->x / 8 + 1) * 8, p->width);
        return;
    case '\a':
    case 0x0e:
    case 0x0f:
        return;
    default:
        break;
    }
    if (c < 0x20)
        fail_msg("unknown control character %d", c);
    size_t len = strlen(p->part);
    p->part[len++] = (char)c;
    unsigned char first = (unsigned char)p->part[0];
    size_t whole = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (len < whole)
        return;
    struct cell cell = { .marks = 0 };
    memcpy(cell.bytes, p->part, sizeof cell.bytes);
    memset(p->part, 0, sizeof p->part);
    put_cell(p, &cell);
}

static void
take(struct pty *p, unsigned char c)
{
    switch (p->state) {
    case PLAIN:
        take_plain(p, c);
        return;
    case ESCAPE:
        p->state = PLAIN;
        p->len = 0;
        p->sequence[0] = '\0';
        if (c == '[')
            p->state = SEQUENCE;
        else if (c == '(' || c == ')')
            p->state = CHARSET;
        else if (c == ']')
            p->state = COMMAND;
        else if (c == 'M' && p->y == p->top)
            scroll(p, p->top, 1);
        else if (c == 'M')
            p->y -= p->y > 0;
        else if (strchr("=>78c", c) == NULL)
            fail_msg("unknown sequence: ESC %c", c);
        return;
    case SEQUENCE:
        if (c >= 0x40) {
            p->state = PLAIN;
            obey(p, (char)c);
        } else if (p->len + 1 < sizeof p->sequence) {
            p->sequence[p->len++] = (char)c;
            p->sequence[p->len] = '\0';
        }
        return;
    case CHARSET:
        p->state = PLAIN;
        return;
    case COMMAND:
        p->state = c == '\a' ? PLAIN : COMMAND;
        return;
    }
}

/* ---- the program ---- */

/* In a session of its own, whose terminal is the first one that it opens. */
static pid_t
start_at(const char *slave, const char *program, char **argv)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    if (posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, slave, O_RDWR, 0) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO) == 0)
        pid = launch(program, argv, &actions, POSIX_SPAWN_SETSID);
    (void)posix_spawn_file_actions_destroy(&actions);
    return pid;
}

struct pty *
pty_start(unsigned width, unsigned height, const char *program, ...)
{
    char *argv[ARGS_MAX + 1] = { (char *)(uintptr_t)program };
    va_list list;
    va_start(list, program);
    for (size_t i = 1; i < ARGS_MAX && (argv[i] = va_arg(list, char *)) != NULL; i++)
        continue;
    va_end(list);
    assert_in_range(width, 1, PTY_WIDTH_MAX);
    assert_in_range(height, 1, PTY_HEIGHT_MAX);
    assert_in_range(pty_count, 0, PTYS_MAX - 1);
    struct pty *p = calloc(1, sizeof *p);
    assert_non_null(p);
    ptys[pty_count++] = p;
    char slave[64];
    p->width = width;
    p->height = height;
    p->bottom = height - 1;
    p->status = -1;
    p->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(p->fd >= 0 && grantpt(p->fd) == 0 && unlockpt(p->fd) == 0);
    assert_int_equal(ptsname_r(p->fd, slave, sizeof slave), 0);
    p->slave = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(p->slave >= 0);
    struct winsize size = { .ws_col = (unsigned short)width, .ws_row = (unsigned short)height };
    assert_int_equal(ioctl(p->slave, TIOCSWINSZ, &size), 0);
    p->pid = start_at(slave, program, argv);
    assert_true(p->pid > 0);
    return p;
}

static void
look_after(struct pty *p)
{
    int status = 0;
    if (p->status >= 0 || waitpid(p->pid, &status, WNOHANG) != p->pid)
        return;
    p->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What has come, for no longer than ms. Returns false when nothing did. */
static bool
read_some(struct pty *p, int ms)
{
    struct pollfd wait = { .fd = p->fd, .events = POLLIN };
    unsigned char bytes[4096];
    if (p->fd < 0) {
        (void)poll(NULL, 0, ms);
        return false;
    }
    if (poll(&wait, 1, ms) <= 0 || (wait.revents & POLLIN) == 0)
        return false;
    ssize_t got = read(p->fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < got; i++)
        take(p, bytes[i]);
    return got > 0;
}

void
pty_pause(struct pty *p, int ms)
{
    int64_t end_ms = now_ms() + ms;
    do {
        (void)read_some(p, 5);
    } while (now_ms() < end_ms);
}

void
pty_type(struct pty *p, const char *keys)
{
    size_t len = strlen(keys);
    assert_int_equal(write(p->fd, keys, len), (ssize_t)len);
}

void
pty_resize(struct pty *p, unsigned width, unsigned height)
{
    struct winsize size = { .ws_col = (unsigned short)width, .ws_row = (unsigned short)height };
    p->width = width;
    p->height = height;
    p->top = 0;
    p->bottom = height - 1;
    p->x = p->x < width ? p->x : width - 1;
    p->y = p->y < height ? p->y : height - 1;
    for (unsigned y = 0; y < PTY_HEIGHT_MAX; y++)
        clear(p, y, y < height ? width : 0, PTY_WIDTH_MAX);
    assert_int_equal(ioctl(p->fd, TIOCSWINSZ, &size), 0);
}

/* ---- what is seen ---- */

const char *
pty_line(struct pty *p, unsigned y)
{
    size_t len = 0;
    size_t end = 0;
    assert_true(y < p->height);
    for (unsigned x = 0; x < p->width; x++) {
        const char *bytes = p->cells[y][x].bytes;
        if (p->cells[y][x].is_rest)
            continue;
        bool is_space = bytes[0] == '\0' || bytes[0] == ' ';
        for (size_t i = 0; i == 0 || bytes[i] != '\0'; i++) {
            p->line[len++] = is_space ? ' ' : bytes[i];
            if (is_space)
                break;
        }
        end = is_space ? end : len;
    }
    p->line[end] = '\0';
    return p->line;
}

static unsigned
column_of(const char *line, const char *at)
{
    unsigned x = 0;
    for (; line < at; line++) {
        if (((unsigned char)*line & 0xc0) != 0x80)
            x += columns_of(line);
    }
    return x;
}

int
pty_column(struct pty *p, unsigned y, const char *text)
{
    const char *line = pty_line(p, y);
    const char *found = strstr(line, text);
    return found != NULL ? (int)column_of(line, found) : -1;
}

int
pty_find(struct pty *p, const char *text)
{
    for (unsigned y = 0; y < p->height; y++) {
        if (strstr(pty_line(p, y), text) != NULL)
            return (int)y;
    }
    return -1;
}

unsigned
pty_marks(struct pty *p, unsigned y, const char *text)
{
    const char *line = pty_line(p, y);
    const char *found = strstr(line, text);
    if (found == NULL)
        return 0;
    return p->cells[y][column_of(line, found)].marks;
}

void
pty_print(struct pty *p)
{
    for (unsigned y = 0; y < p->height; y++)
        print_error("%3u|%s\n", y, pty_line(p, y));
}

static void
wait_for(struct pty *p, const char *text, int line, bool is_there)
{
    int64_t end_ms = now_ms() + PTY_WAIT_MS;
    for (;;) {
        while (read_some(p, 0))
            continue;
        int at = line < 0 ? pty_find(p, text)
                          : (strstr(pty_line(p, (unsigned)line), text) != NULL ? line : -1);
        if ((at >= 0) == is_there)
            return;
        look_after(p);
        if (now_ms() > end_ms || p->status >= 0) {
            pty_print(p);
            fail_msg("%s '%s' (status %d)", is_there ? "never saw" : "still see", text, p->status);
        }
        (void)read_some(p, 20);
    }
}

void
pty_wait_text(struct pty *p, const char *text)
{
    wait_for(p, text, -1, true);
}

void
pty_wait_no_text(struct pty *p, const char *text)
{
    wait_for(p, text, -1, false);
}

void
pty_wait_line(struct pty *p, unsigned y, const char *text)
{
    wait_for(p, text, (int)y, true);
}

/* ---- its end ---- */

pid_t
pty_pid(const struct pty *p)
{
    return p->pid;
}

void
pty_signal(struct pty *p, int number)
{
    assert_int_equal(kill(p->pid, number), 0);
}

int
pty_wait(struct pty *p)
{
    int64_t end_ms = now_ms() + PTY_WAIT_MS;
    while (p->status < 0) {
        look_after(p);
        if (now_ms() > end_ms) {
            pty_print(p);
            fail_msg("it never ended");
        }
        (void)read_some(p, 5);
    }
    while (read_some(p, 0))
        continue;
    return p->status;
}

bool
pty_is_restored(struct pty *p)
{
    struct termios modes;
    while (read_some(p, 0))
        continue;
    assert_int_equal(tcgetattr(p->slave, &modes), 0);
    return (modes.c_lflag & ICANON) != 0 && (modes.c_lflag & ECHO) != 0 &&
           (modes.c_iflag & ICRNL) != 0 && (modes.c_oflag & OPOST) != 0 && !p->is_alternate &&
           !p->is_cursor_hidden;
}

void
pty_hang_up(struct pty *p)
{
    (void)close(p->fd);
    p->fd = -1;
}

int
pty_end_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < pty_count; i++) {
        struct pty *p = ptys[i];
        look_after(p);
        if (p->status < 0) {
            (void)kill(p->pid, SIGKILL);
            (void)waitpid(p->pid, NULL, 0);
        }
        if (p->fd >= 0)
            (void)close(p->fd);
        (void)close(p->slave);
        free(p);
    }
    pty_count = 0;
    return 0;
}
