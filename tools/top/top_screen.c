/* SPDX-License-Identifier: MPL-2.0 */

/* ncurses draws into memory and sends to the terminal what differs. Its own signal handlers never
 * run: the signals are blocked, and come out of signalfd(2). */

#define _GNU_SOURCE /* for ncurses: wide characters */

#include "tools/top/top_screen.h"

#include "tools/common/terminal.h"

#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { ESCAPE_WAIT_MS = 25, TERM_LEN = 160 };

/* ncurses has the terminal in globals of its own: what goes with that is here. */
static struct {
    SCREEN *screen;
    bool has_colour, is_ascii;
    char problem[TERM_LEN];
} terminal;

/* ---- styles ---- */

static const struct {
    short colour;      /* -1: as it is */
    attr_t attributes; /* with colours */
    attr_t plain;      /* without */
} styles[TULLE__TOP_STYLE_COUNT] = {
    [TULLE__TOP_PLAIN] = { -1, A_NORMAL, A_NORMAL },
    [TULLE__TOP_FAINT] = { -1, A_DIM, A_DIM },
    [TULLE__TOP_GOOD] = { COLOR_GREEN, A_NORMAL, A_NORMAL },
    [TULLE__TOP_WARN] = { COLOR_YELLOW, A_BOLD, A_BOLD },
    [TULLE__TOP_BAD] = { COLOR_RED, A_BOLD, A_BOLD | A_UNDERLINE },
    [TULLE__TOP_STYLE_NAME] = { -1, A_BOLD, A_BOLD },
    [TULLE__TOP_STYLE_LABEL] = { COLOR_CYAN, A_NORMAL, A_NORMAL },
    [TULLE__TOP_STYLE_TITLE] = { COLOR_CYAN, A_BOLD, A_BOLD },
    [TULLE__TOP_STYLE_SORTED] = { COLOR_WHITE, A_BOLD | A_UNDERLINE, A_BOLD | A_UNDERLINE },
    [TULLE__TOP_STYLE_TAB] = { -1, A_NORMAL, A_NORMAL },
    [TULLE__TOP_STYLE_TAB_ON] = { COLOR_CYAN, A_REVERSE | A_BOLD, A_REVERSE },
    [TULLE__TOP_STYLE_KEY] = { -1, A_BOLD, A_BOLD },
};

static void
make_colours(void)
{
    terminal.has_colour = terminal.has_colour && has_colors() && start_color() == OK;
    if (!terminal.has_colour)
        return;
    short behind = use_default_colors() == OK ? -1 : COLOR_BLACK;
    for (int i = 0; i < TULLE__TOP_STYLE_COUNT; i++) {
        if (styles[i].colour >= 0)
            (void)init_pair((short)(i + 1), styles[i].colour, behind);
    }
}

static void
use_style(unsigned style)
{
    unsigned of = style & ~(unsigned)TULLE__TOP_STYLE_CHOSEN;
    bool is_chosen = (style & TULLE__TOP_STYLE_CHOSEN) != 0;
    attr_t attributes = terminal.has_colour ? styles[of].attributes : styles[of].plain;
    short pair = terminal.has_colour && styles[of].colour >= 0 ? (short)(of + 1) : 0;
    /* Faint or green upside down can hardly be read. */
    if (is_chosen && (of == TULLE__TOP_FAINT || of == TULLE__TOP_GOOD)) {
        attributes = A_NORMAL;
        pair = 0;
    }
    (void)attr_set(is_chosen ? attributes | A_REVERSE : attributes, pair, NULL);
}

/* ---- opening and closing ---- */

const char *
tulle__top_screen_open(bool has_colour)
{
    terminal.has_colour = has_colour;
    terminal.is_ascii = !tulle__terminal_is_utf8();
    terminal.screen = newterm(NULL, stdout, stdin);
    /* One that cannot put text where it is told to is none either. */
    if (terminal.screen == NULL || tigetstr("cup") == NULL) {
        const char *term = getenv("TERM");
        if (terminal.screen != NULL)
            (void)endwin();
        (void)snprintf(
            terminal.problem, sizeof terminal.problem,
            "the terminal '%.64s' is not known here, or cannot do it: set TERM, or use --once",
            term != NULL ? term : "");
        return terminal.problem;
    }
    (void)set_escdelay(ESCAPE_WAIT_MS);
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)nodelay(stdscr, TRUE);
    (void)keypad(stdscr, TRUE);
    (void)intrflush(stdscr, FALSE);
    (void)leaveok(stdscr, TRUE);
    (void)curs_set(0);
    make_colours();
    return NULL;
}

void
tulle__top_screen_close(void)
{
    if (terminal.screen != NULL && !isendwin())
        (void)endwin();
}

void
tulle__top_screen_resize(void)
{
    struct winsize size = { 0 };
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        (void)resizeterm(size.ws_row, size.ws_col);
    (void)clearok(stdscr, TRUE);
}

/* ---- keys ---- */

static int
special_key(wint_t code)
{
    switch (code) {
    case KEY_UP:
        return TULLE__TOP_KEY_UP;
    case KEY_DOWN:
        return TULLE__TOP_KEY_DOWN;
    case KEY_LEFT:
        return TULLE__TOP_KEY_LEFT;
    case KEY_RIGHT:
        return TULLE__TOP_KEY_RIGHT;
    case KEY_PPAGE:
        return TULLE__TOP_KEY_PAGE_UP;
    case KEY_NPAGE:
        return TULLE__TOP_KEY_PAGE_DOWN;
    case KEY_HOME:
        return TULLE__TOP_KEY_HOME;
    case KEY_END:
        return TULLE__TOP_KEY_END;
    case KEY_BTAB:
        return TULLE__TOP_KEY_BACKTAB;
    case KEY_BACKSPACE:
        return TULLE__TOP_KEY_BACK;
    case KEY_ENTER:
        return TULLE__TOP_KEY_ENTER;
    default:
        return TULLE__TOP_KEY_NONE;
    }
}

static bool
is_hung_up(void)
{
    struct pollfd wait = { .fd = STDIN_FILENO, .events = POLLIN };
    int count = poll(&wait, 1, 0);
    int waiting = 0;
    if (count <= 0)
        return false;
    if ((wait.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        return true;
    /* Readable, but nothing is there to be read: the end. */
    return ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0 || waiting == 0;
}

int
tulle__top_screen_key(void)
{
    wint_t key = 0;
    int got = get_wch(&key);
    if (got == ERR)
        return is_hung_up() ? -1 : 0;
    if (got == KEY_CODE_YES)
        return special_key(key);
    switch (key) {
    case '\r':
    case '\n':
        return TULLE__TOP_KEY_ENTER;
    case 0x7f:
    case '\b':
        return TULLE__TOP_KEY_BACK;
    case 0:
        return TULLE__TOP_KEY_NONE;
    default:
        return (int)key;
    }
}

/* ---- drawing ---- */

static void
put(void *ctx, unsigned y, unsigned x, unsigned style, const char *text, size_t len)
{
    (void)ctx;
    use_style(style);
    if (move((int)y, (int)x) != OK)
        return;
    if (!terminal.is_ascii) {
        (void)addnstr(text, (int)len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c & 0xc0) != 0x80)
            (void)addch(c < 0x80 ? c : '?');
    }
}

void
tulle__top_screen_draw(struct tulle__top_view *view)
{
    int width = getmaxx(stdscr);
    int height = getmaxy(stdscr);
    const struct tulle__top_canvas canvas = { .width = width > 0 ? (unsigned)width : 0,
                                              .height = height > 0 ? (unsigned)height : 0,
                                              .is_ascii = terminal.is_ascii,
                                              .put = put };
    (void)erase();
    tulle__top_view_draw(view, &canvas);
    (void)attr_set(A_NORMAL, 0, NULL);
    (void)refresh();
}
