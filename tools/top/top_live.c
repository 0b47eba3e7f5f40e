/* SPDX-License-Identifier: MPL-2.0 */

/* top on a screen: look, draw, wait for a key, a signal or the time to look again. */

#include "app/exit.h"
#include "tools/common/terminal.h"
#include "tools/common/tools.h"
#include "tools/top/top.h"
#include "tools/top/top_screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST_LOOKS_MS = 250, /* until there is a picture */
    LOOK_SHARE = 4,       /* looking takes no more than one part of so many of the time */
    KEYS_MAX = 64,        /* between two pictures */
    REDRAW_KEY = 12       /* Ctrl-L */
};

struct live {
    struct tulle__top *top;
    struct tulle__top_view view;
    tulle_status status; /* of the last look */
    int64_t due_us;      /* the next one */
    uint64_t looks;
    bool is_over;
};

static void
look(struct live *live)
{
    struct tulle__top *top = live->top;
    const tulle_snapshot *snapshot = NULL;
    int64_t start_us = tulle__tool_mono_us();
    top->model.span_us = live->view.delay_ms * 1000;
    live->status = tulle_snapshot_new(top->lookout.node, &snapshot);
    if (live->status == TULLE_OK && !tulle__top_model_feed(&top->model, &snapshot)) {
        tulle_snapshot_free(&snapshot);
        live->status = TULLE_ENOMEM;
    }
    if (live->status != TULLE_OK) {
        live->is_over = true;
        return;
    }
    tulle__top_view_refresh(&live->view);
    int64_t now_us = tulle__tool_mono_us();
    bool is_early = live->looks > 0 ? false : !tulle__top_model_is_settled(&top->model, false);
    int64_t delay_us = (is_early ? FIRST_LOOKS_MS : live->view.delay_ms) * 1000;
    int64_t share_us = (now_us - start_us) * LOOK_SHARE;
    live->due_us = now_us + (delay_us > share_us ? delay_us : share_us);
    live->looks += !is_early;
    if (live->looks >= top->options.iterations)
        live->is_over = true;
}

/* Somebody else has the terminal, until this program is told to go on. */
static void
stop(void)
{
    tulle__top_screen_close();
    (void)raise(SIGSTOP);
    tulle__top_screen_resize();
}

static void
take_signals(struct live *live)
{
    int number;
    while ((number = tulle__signals_next(&live->top->lookout.signals)) != 0) {
        if (number == SIGWINCH)
            tulle__top_screen_resize();
        else if (number == SIGTSTP)
            stop();
        else
            live->is_over = true;
    }
}

static void
take_keys(struct live *live)
{
    for (int i = 0; i < KEYS_MAX && !live->is_over; i++) {
        int key = tulle__top_screen_key();
        if (key == 0)
            return;
        bool was_paused = live->view.is_paused;
        int64_t was_ms = live->view.delay_ms;
        if (key == REDRAW_KEY)
            tulle__top_screen_resize();
        else if (key > 0)
            tulle__top_view_press(&live->view, key);
        live->is_over = key < 0 || live->view.is_quit;
        if (live->view.delay_ms < was_ms || (was_paused && !live->view.is_paused))
            live->due_us = 0;
    }
}

static void
watch(struct live *live)
{
    while (!live->is_over) {
        if (!live->view.is_paused && tulle__tool_mono_us() >= live->due_us)
            look(live);
        tulle__top_screen_draw(&live->view);
        if (live->is_over)
            return;
        int64_t left_ms = (live->due_us - tulle__tool_mono_us()) / 1000 + 1;
        int timeout_ms = live->view.is_paused ? -1 : (int)(left_ms > 0 ? left_ms : 0);
        switch (tulle__signals_wait(&live->top->lookout.signals, STDIN_FILENO, timeout_ms)) {
        case 1:
            take_keys(live);
            break;
        case 2:
            take_signals(live);
            break;
        default:
            break;
        }
    }
}

int
tulle__top_live(struct tulle__top *top)
{
    struct live live = { .top = top, .status = TULLE_OK };
    const char *problem = tulle__top_screen_open(tulle__top_options_has_colour(&top->options));
    if (problem != NULL)
        return tulle__tool_fail(top->program, problem);
    tulle__top_view_init(&live.view, &top->model, &top->query, top->common.node.mesh,
                         top->options.delay_ms);
    watch(&live);
    tulle__top_view_fini(&live.view);
    tulle__top_screen_close();
    if (live.status != TULLE_OK) {
        (void)fprintf(stderr, "%s: looking at the mesh: %s\n", top->program->name,
                      tulle_strerror(live.status));
        return TULLE__EXIT_FAILURE;
    }
    return TULLE__EXIT_OK;
}
