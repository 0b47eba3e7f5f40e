/* SPDX-License-Identifier: MPL-2.0 */

/* tulle-test-relay: stands between two nodes and does what bad networks do.
 *
 * Options set it up, lines on standard input change it while it runs; see
 * USAGE. One loop serves all links of both kinds. */

#include "relay.h"
#include "relay_events.h"
#include "relay_tcp.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char USAGE[] =
    "usage: tulle-test-relay [option]...\n"
    "\n"
    "  --tcp LISTEN=TARGET         forward TCP connections; port 0: chosen and printed\n"
    "  --events LISTEN=TARGET      forward published messages (XPUB bound, XSUB connected)\n"
    "  --delay-ms N --jitter-ms N  what bytes of TCP wait\n"
    "  --cut-at S --heal-at S      cut everything, heal it, so many seconds after the start\n"
    "  --delay PREFIX=MS           what messages wait whose key begins with PREFIX (\"\": others)\n"
    "  --drop PREFIX=PERCENT       how many of them are dropped\n"
    "  --duplicate PREFIX=PERCENT  how many of them come twice\n"
    "  --seed N                    of the chance in these; 1\n"
    "  --until-eof                 end when standard input ends\n"
    "\n"
    "It prints \"ready\" when everything is bound. Commands, one a line, each answered by \"ok\"\n"
    "or \"error: ...\": cut, heal, stall, unstall, reset, lose, delay MS, jitter MS, delay PREFIX "
    "MS,\n"
    "drop PREFIX PERCENT, duplicate PREFIX PERCENT, quit; and count, answered by how many TCP\n"
    "connections were made to it.\n";

enum {
    LINE_LEN = 512,
    WORDS_MAX = 3,
    ITEMS_MAX = 2 + RELAY_TCP_ITEMS_MAX + RELAY_EVENTS_ITEMS_MAX
};

static const double MS_MAX = 3600.0 * 1000.0;

struct relay {
    struct relay_chance chance;
    struct relay_tcp *tcp;
    struct relay_events *events;
    uint32_t delay_ms, jitter_ms;
    int64_t start_us, cut_us, heal_us;
    bool is_until_eof, has_ended, has_input;
    int signal_fd;
    char line[LINE_LEN];
    size_t line_len;
    bool is_line_long;
    zmq_pollitem_t items[ITEMS_MAX];
};

static void
set_cut(struct relay *relay, bool is_cut)
{
    relay_tcp_set_cut(relay->tcp, is_cut);
    relay_events_set_cut(relay->events, is_cut);
}

static void
set_stalled(struct relay *relay, bool is_stalled)
{
    relay_tcp_set_stalled(relay->tcp, is_stalled);
    relay_events_set_stalled(relay->events, is_stalled);
}

static bool
find_fault(const char *name, enum relay_fault *fault, double *max)
{
    *max = 100.0;
    if (strcmp(name, "drop") == 0)
        *fault = RELAY_FAULT_DROP;
    else if (strcmp(name, "duplicate") == 0)
        *fault = RELAY_FAULT_DUPLICATE;
    else if (strcmp(name, "delay") == 0)
        *fault = RELAY_FAULT_DELAY;
    else
        return false;
    if (*fault == RELAY_FAULT_DELAY)
        *max = MS_MAX;
    return true;
}

static const char *
set_fault(struct relay *relay, const char *name, const char *prefix, const char *text)
{
    enum relay_fault fault = RELAY_FAULT_DELAY;
    double max = 0.0;
    double value = 0.0;
    if (!find_fault(name, &fault, &max))
        return "unknown";
    if (!relay_parse_number(text, 0.0, max, &value))
        return "not a number in range";
    if (!relay_events_set(relay->events, fault, prefix, value))
        return "too many prefixes";
    return NULL;
}

static const char *
set_ms(struct relay *relay, const char *text, uint32_t *field)
{
    double value = 0.0;
    if (!relay_parse_number(text, 0.0, MS_MAX, &value))
        return "not a number of milliseconds";
    *field = (uint32_t)value;
    relay_tcp_set_delay(relay->tcp, relay->delay_ms, relay->jitter_ms);
    return NULL;
}

static const char *
run_word(struct relay *relay, const char *word)
{
    if (strcmp(word, "cut") == 0)
        set_cut(relay, true);
    else if (strcmp(word, "heal") == 0)
        set_cut(relay, false);
    else if (strcmp(word, "stall") == 0)
        set_stalled(relay, true);
    else if (strcmp(word, "unstall") == 0)
        set_stalled(relay, false);
    else if (strcmp(word, "reset") == 0)
        relay_tcp_reset(relay->tcp);
    else if (strcmp(word, "lose") == 0)
        relay_tcp_lose(relay->tcp);
    else if (strcmp(word, "count") == 0)
        (void)printf("%llu connections\n", (unsigned long long)relay_tcp_count(relay->tcp));
    else if (strcmp(word, "quit") == 0)
        relay->has_ended = true;
    else
        return "unknown command";
    return NULL;
}

static const char *
run_command(struct relay *relay, char *line)
{
    char *words[WORDS_MAX + 1] = { NULL };
    char *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL && count <= WORDS_MAX;
         word = strtok_r(NULL, " \t\r", &rest))
        words[count++] = word;
    if (count == 1)
        return run_word(relay, words[0]);
    if (count == 2 && strcmp(words[0], "delay") == 0)
        return set_ms(relay, words[1], &relay->delay_ms);
    if (count == 2 && strcmp(words[0], "jitter") == 0)
        return set_ms(relay, words[1], &relay->jitter_ms);
    if (count == 3)
        return set_fault(relay, words[0], strcmp(words[1], "\"\"") == 0 ? "" : words[1], words[2]);
    return "unknown command";
}

static void
finish_line(struct relay *relay)
{
    relay->line[relay->line_len] = '\0';
    const char *problem =
        relay->is_line_long ? "line is too long" : run_command(relay, relay->line);
    relay->line_len = 0;
    relay->is_line_long = false;
    if (problem == NULL)
        (void)puts("ok");
    else
        (void)printf("error: %s\n", problem);
    (void)fflush(stdout);
}

static void
read_input(struct relay *relay)
{
    char bytes[LINE_LEN];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        relay->has_input = false;
        relay->has_ended = relay->has_ended || relay->is_until_eof;
        return;
    }
    for (ssize_t i = 0; i < got && !relay->has_ended; i++) {
        if (bytes[i] == '\n')
            finish_line(relay);
        else if (relay->line_len + 1 < LINE_LEN)
            relay->line[relay->line_len++] = bytes[i];
        else
            relay->is_line_long = true;
    }
}

static void
run_timers(struct relay *relay, int64_t now_us)
{
    if (now_us >= relay->cut_us) {
        relay->cut_us = RELAY_NEVER;
        set_cut(relay, true);
    }
    if (now_us >= relay->heal_us) {
        relay->heal_us = RELAY_NEVER;
        set_cut(relay, false);
    }
}

static long
timeout_ms(int64_t deadline_us, int64_t now_us)
{
    if (deadline_us == RELAY_NEVER)
        return -1;
    if (deadline_us <= now_us)
        return 0;
    return (long)((deadline_us - now_us + 999) / 1000);
}

static int
run(struct relay *relay)
{
    while (!relay->has_ended) {
        int64_t deadline_us = relay->cut_us < relay->heal_us ? relay->cut_us : relay->heal_us;
        zmq_pollitem_t *items = relay->items;
        items[0] = (zmq_pollitem_t){ .fd = relay->signal_fd, .events = ZMQ_POLLIN };
        items[1] = (zmq_pollitem_t){ .fd = STDIN_FILENO, .events = ZMQ_POLLIN };
        size_t count = relay->has_input ? 2 : 1;
        zmq_pollitem_t *tcp_items = items + count;
        count += relay_tcp_poll(relay->tcp, tcp_items, &deadline_us);
        zmq_pollitem_t *events_items = items + count;
        count += relay_events_poll(relay->events, events_items, &deadline_us);

        if (zmq_poll(items, (int)count, timeout_ms(deadline_us, relay_now_us())) < 0 &&
            zmq_errno() != EINTR) {
            (void)fprintf(stderr, "tulle-test-relay: poll: %s\n", zmq_strerror(zmq_errno()));
            return EXIT_FAILURE;
        }
        if (items[0].revents != 0)
            return EXIT_SUCCESS;
        relay_tcp_run(relay->tcp, tcp_items);
        relay_events_run(relay->events, events_items);
        run_timers(relay, relay_now_us());
        /* Last: commands change what the items stand for. */
        if (relay->has_input && items[1].revents != 0)
            read_input(relay);
    }
    return EXIT_SUCCESS;
}

static const char *
add_link(struct relay *relay, bool is_tcp, const char *text)
{
    char from[RELAY_ADDRESS_LEN];
    char to[RELAY_ADDRESS_LEN];
    char bound[RELAY_ADDRESS_LEN];
    if (!relay_split(text, false, from, to))
        return "not LISTEN=TARGET";
    const char *problem = is_tcp ? relay_tcp_add(relay->tcp, from, to, bound)
                                 : relay_events_add(relay->events, from, to, bound);
    if (problem != NULL)
        return problem;
    const char *colon = strrchr(from, ':');
    if (colon != NULL && (strcmp(colon, ":0") == 0 || strcmp(colon, ":*") == 0))
        (void)printf("%s %s=%s\n", is_tcp ? "tcp" : "events", bound, to);
    return NULL;
}

static const char *
set_time(struct relay *relay, const char *text, int64_t *field)
{
    double seconds = 0.0;
    if (!relay_parse_number(text, 0.0, 86400.0, &seconds))
        return "not a number of seconds";
    *field = relay->start_us + (int64_t)(seconds * 1e6);
    return NULL;
}

static const char *
set_option(struct relay *relay, const char *name, const char *value)
{
    if (strcmp(name, "--tcp") == 0 || strcmp(name, "--events") == 0)
        return add_link(relay, strcmp(name, "--tcp") == 0, value);
    if (strcmp(name, "--delay-ms") == 0)
        return set_ms(relay, value, &relay->delay_ms);
    if (strcmp(name, "--jitter-ms") == 0)
        return set_ms(relay, value, &relay->jitter_ms);
    if (strcmp(name, "--cut-at") == 0)
        return set_time(relay, value, &relay->cut_us);
    if (strcmp(name, "--heal-at") == 0)
        return set_time(relay, value, &relay->heal_us);
    if (strcmp(name, "--seed") == 0) {
        double seed = 0.0;
        if (!relay_parse_number(value, 0.0, 9007199254740992.0, &seed))
            return "not a number";
        relay->chance.state = (uint64_t)seed;
        return NULL;
    }
    char prefix[RELAY_ADDRESS_LEN];
    char number[RELAY_ADDRESS_LEN];
    if (strncmp(name, "--", 2) != 0 || !relay_split(value, true, prefix, number))
        return "unknown option, or not PREFIX=NUMBER";
    return set_fault(relay, name + 2, prefix, number);
}

static bool
read_options(struct relay *relay, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--until-eof") == 0) {
            relay->is_until_eof = true;
            continue;
        }
        const char *problem =
            i + 1 < argc ? set_option(relay, argv[i], argv[i + 1]) : "wants a value";
        if (problem != NULL) {
            (void)fprintf(stderr, "tulle-test-relay: %s: %s\n%s", argv[i], problem, USAGE);
            return false;
        }
        i++;
    }
    return true;
}

/* Signals come out of a descriptor; the parent's death is one of them. */
static int
open_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)signal(SIGPIPE, SIG_IGN);
    pid_t parent = getppid();
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 ||
        getppid() != parent)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
main(int argc, char **argv)
{
    static struct relay relay; /* too large for the stack */
    relay.chance.state = 1;
    relay.start_us = relay_now_us();
    relay.cut_us = relay.heal_us = RELAY_NEVER;
    relay.has_input = true;
    relay.signal_fd = open_signals();
    relay.tcp = relay_tcp_new(&relay.chance);
    relay.events = relay_events_new(&relay.chance);
    int status = EXIT_FAILURE;
    if (relay.signal_fd < 0 || relay.tcp == NULL || relay.events == NULL) {
        (void)fprintf(stderr, "tulle-test-relay: cannot start: %s\n", strerror(errno));
    } else if (!read_options(&relay, argc, argv)) {
        status = 2;
    } else {
        (void)puts("ready");
        (void)fflush(stdout);
        status = run(&relay);
    }
    if (relay.tcp != NULL)
        relay_tcp_free(&relay.tcp);
    if (relay.events != NULL)
        relay_events_free(&relay.events);
    return status;
}
