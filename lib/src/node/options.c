/* SPDX-License-Identifier: MPL-2.0 */
/* Options of nodes and proxies. */

#define _DEFAULT_SOURCE 1 /* gethostname() with its limit */

#include "node/options.h"

#include "base/alloc.h"
#include "codec/limits.h"
#include "codec/reader.h"
#include "delivery/engine.h"
#include "node/address.h"

#include <tulle/topic.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PAYLOAD_MAX = 16 * 1024 * 1024, RATE_MIN = 1024 };

static const uint64_t RETAIN_MS_MAX = UINT64_C(1000) * 60 * 60 * 24 * 365;

void
tulle_node_options_init(tulle_node_options *options)
{
    *options = (tulle_node_options){
        .mesh = "tulle",
        .beacon_port = 5670,
        .stream_levels = 1,
        .beat_ms = 1000,
        .suspect_ms = 3000,
        .gone_ms = 10000,
        .hold_ms = 10000,
        .fetch_delay_ms = 20,
        .retain_bytes = UINT64_C(64) << 20,
        .retain_ms = 600000,
        .retain_others_bytes = UINT64_C(32) << 20,
        .held_bytes = UINT64_C(64) << 20,
        .queue_bytes = UINT64_C(16) << 20,
        .outbox_bytes = UINT64_C(16) << 20,
        .batch_bytes = 262144,
        .event_bytes_max = UINT32_C(1) << 20,
        .log_level = TULLE_LOG_INFO,
    };
}

void
tulle_subscribe_options_init(tulle_subscribe_options *options)
{
    *options = (tulle_subscribe_options){ .order = TULLE_ORDER_CAUSAL, .from = TULLE_FROM_LIVE };
}

void
tulle_publish_options_init(tulle_publish_options *options)
{
    *options = (tulle_publish_options){ .timeout_ms = -1 };
}

void
tulle_segment_options_init(tulle_segment_options *options)
{
    *options = (tulle_segment_options){
        .beacon_port = 5670,
        .retain_bytes = UINT64_C(16) << 20,
        .retain_ms = 600000,
    };
}

void
tulle_proxy_options_init(tulle_proxy_options *options)
{
    *options = (tulle_proxy_options){
        .mesh = "tulle",
        .beat_ms = 1000,
        .suspect_ms = 3000,
        .gone_ms = 10000,
        .hops_max = 8,
        .log_level = TULLE_LOG_INFO,
    };
}

tulle_status
tulle__error_set(tulle_error *error, tulle_status status, const char *format, ...)
{
    if (error == NULL)
        return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

/* ---- checks ---- */

static tulle_status
check_name(const char *what, const char *name, tulle_error *error)
{
    size_t len = name == NULL ? 0 : strnlen(name, TULLE__NAME_LEN_MAX + 1);
    if (len == 0 || len > TULLE__NAME_LEN_MAX)
        return tulle__error_set(error, TULLE_EINVAL, "%s must have 1 to %d bytes", what,
                                TULLE__NAME_LEN_MAX);
    /* Whoever hears another name takes the message for malformed. */
    if (!tulle__view_is_printable((struct tulle__view){ (const uint8_t *)name, len }))
        return tulle__error_set(error, TULLE_EINVAL, "%s is not UTF-8, or has a control character",
                                what);
    return TULLE_OK;
}

struct range {
    const char *name;
    uint64_t value;
    uint64_t min;
    uint64_t max;
};

static tulle_status
check_ranges(const struct range *ranges, size_t count, tulle_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct range *r = &ranges[i];
        if (r->value < r->min || r->value > r->max) {
            return tulle__error_set(error, TULLE_EINVAL, "%s is %llu, must be %llu to %llu",
                                    r->name, (unsigned long long)r->value,
                                    (unsigned long long)r->min, (unsigned long long)r->max);
        }
    }
    return TULLE_OK;
}

static tulle_status
check_addresses(const char *const *listen,
                size_t listen_count,
                const char *const *join,
                size_t join_count,
                tulle_error *error)
{
    struct tulle__address address;
    if (listen_count > TULLE_LISTEN_MAX || join_count > TULLE__LINKS_LIMIT)
        return tulle__error_set(error, TULLE_EINVAL, "at most %d listen addresses and %d to join",
                                (int)TULLE_LISTEN_MAX, (int)TULLE__LINKS_LIMIT);
    for (size_t i = 0; i < listen_count; i++) {
        if (listen[i] == NULL || !tulle__address_parse(listen[i], &address)) {
            return tulle__error_set(error, TULLE_EINVAL,
                                    "listen address \"%s\" is none: tcp://HOST:PORT with a port up "
                                    "to 65534 or \"*\", or ipc://PATH",
                                    listen[i] == NULL ? "" : listen[i]);
        }
    }
    for (size_t i = 0; i < join_count; i++) {
        if (join[i] == NULL || !tulle__address_can_be_dialed(join[i])) {
            return tulle__error_set(error, TULLE_EINVAL,
                                    "address to join \"%s\" is none: tcp://HOST:PORT or ipc://PATH",
                                    join[i] == NULL ? "" : join[i]);
        }
    }
    return TULLE_OK;
}

/* What peers are told, and whether there is anything to tell. */
struct told {
    const char *control, *events, *inlet;
    size_t listen_count;
    bool dial_only, use_inlet;
};

static tulle_status
check_told(const struct told *told, tulle_error *error)
{
    const struct {
        const char *what, *address;
    } all[] = { { "", told->control }, { " event", told->events }, { " inlet", told->inlet } };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].address != NULL && !tulle__address_can_be_dialed(all[i].address)) {
            return tulle__error_set(error, TULLE_EINVAL,
                                    "advertised%s address \"%s\" cannot be dialed", all[i].what,
                                    all[i].address);
        }
    }
    bool is_dialable = told->listen_count > 0 || told->use_inlet || told->control != NULL ||
                       told->events != NULL || told->inlet != NULL;
    if (told->dial_only && is_dialable) {
        return tulle__error_set(error, TULLE_EINVAL,
                                "who only dials has no address to listen at or to advertise, and "
                                "no inlet");
    }
    if (told->inlet != NULL && !told->use_inlet)
        return tulle__error_set(error, TULLE_EINVAL, "an inlet is advertised, but there is none");
    return TULLE_OK;
}

static tulle_status
check_node(const tulle_node_options *o, tulle_error *error)
{
    const struct range ranges[] = {
        { "stream_levels", o->stream_levels, 1, 8 },
        { "beat_ms", o->beat_ms, 20, 60000 },
        { "suspect_ms", o->suspect_ms, 20, 3600000 },
        { "gone_ms", o->gone_ms, o->suspect_ms, 3600000 },
        { "hold_ms", o->hold_ms, 1, 3600000 },
        { "fetch_delay_ms", o->fetch_delay_ms, 0, 60000 },
        { "retain_ms", o->retain_ms, 0, RETAIN_MS_MAX },
        { "held_bytes", o->held_bytes, 65536, UINT64_MAX / 4 },
        { "queue_bytes", o->queue_bytes, 4096, UINT64_MAX / 4 },
        { "outbox_bytes", o->outbox_bytes, 4096, UINT64_MAX / 4 },
        { "batch_bytes", o->batch_bytes, 1, UINT32_C(16) << 20 },
        { "event_bytes_max", o->event_bytes_max, 1, PAYLOAD_MAX },
        { "beacon_port", o->beacon_port, 1, 65535 },
        { "log_level", (uint64_t)o->log_level, TULLE_LOG_ERROR, TULLE_LOG_DEBUG },
    };
    const struct told told = { o->advertise,    o->advertise_events, o->advertise_inlet,
                               o->listen_count, o->dial_only,        o->use_inlet };
    tulle_status status = check_name("mesh", o->mesh, error);
    if (status == TULLE_OK && o->name != NULL)
        status = check_name("name", o->name, error);
    if (status == TULLE_OK)
        status = check_ranges(ranges, sizeof ranges / sizeof ranges[0], error);
    if (status == TULLE_OK)
        status = check_addresses(o->listen, o->listen_count, o->join, o->join_count, error);
    if (status == TULLE_OK)
        status = check_told(&told, error);
    return status;
}

static tulle_status
check_patterns(const char *const *patterns, size_t count, tulle_error *error)
{
    if (count > TULLE_PROXY_PATTERNS_MAX)
        return tulle__error_set(error, TULLE_EINVAL, "at most %d patterns of one kind",
                                (int)TULLE_PROXY_PATTERNS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (patterns[i] == NULL || !tulle_pattern_is_valid(patterns[i]))
            return tulle__error_set(error, TULLE_EINVAL, "\"%s\" is no pattern",
                                    patterns[i] == NULL ? "" : patterns[i]);
    }
    return TULLE_OK;
}

static tulle_status
check_segment(const tulle_segment_options *s, tulle_error *error)
{
    const struct range rate = { "bytes_per_second", s->bytes_per_second, RATE_MIN, UINT64_MAX };
    const struct range age = { "retain_ms", s->retain_ms, 0, RETAIN_MS_MAX };
    const struct told told = { s->advertise,    s->advertise_events, s->advertise_inlet,
                               s->listen_count, s->dial_only,        s->use_inlet };
    tulle_status status = check_name("segment name", s->name, error);
    if (status == TULLE_OK)
        status = check_addresses(s->listen, s->listen_count, s->join, s->join_count, error);
    if (status == TULLE_OK)
        status = check_told(&told, error);
    if (status == TULLE_OK)
        status = check_patterns(s->allow, s->allow_count, error);
    if (status == TULLE_OK)
        status = check_patterns(s->deny, s->deny_count, error);
    if (status == TULLE_OK && s->bytes_per_second != 0)
        status = check_ranges(&rate, 1, error);
    if (status == TULLE_OK)
        status = check_ranges(&age, 1, error);
    return status;
}

static tulle_status
check_proxy(const tulle_proxy_options *o, tulle_error *error)
{
    const struct range ranges[] = {
        { "segment_count", o->segment_count, 2, TULLE_SEGMENTS_MAX },
        { "beat_ms", o->beat_ms, 20, 60000 },
        { "suspect_ms", o->suspect_ms, 20, 3600000 },
        { "gone_ms", o->gone_ms, o->suspect_ms, 3600000 },
        { "hops_max", o->hops_max, 1, TULLE__PATH_MAX },
        { "log_level", (uint64_t)o->log_level, TULLE_LOG_ERROR, TULLE_LOG_DEBUG },
    };
    tulle_status status = check_name("mesh", o->mesh, error);
    if (status == TULLE_OK && o->name != NULL)
        status = check_name("name", o->name, error);
    if (status == TULLE_OK)
        status = check_ranges(ranges, sizeof ranges / sizeof ranges[0], error);
    for (size_t i = 0; status == TULLE_OK && i < o->segment_count; i++) {
        status = check_segment(&o->segments[i], error);
        if (status != TULLE_OK && error != NULL) {
            char why[sizeof error->text];
            memcpy(why, error->text, sizeof why);
            (void)snprintf(error->text, sizeof error->text, "segment %zu: %.200s", i + 1, why);
        }
    }
    for (size_t i = 0; status == TULLE_OK && i < o->segment_count; i++) {
        if (tulle__proxy_options_find(o, o->segments[i].name) != &o->segments[i])
            status = tulle__error_set(error, TULLE_EINVAL, "two segments are called \"%s\"",
                                      o->segments[i].name);
    }
    return status;
}

/* ---- copies ---- */

/* One pass over the strings of a set of options. It frees them, or puts a copy in the place of
 * each, and NULL where there is no memory: whatever fails, nothing borrowed is left to be freed. */
struct pass {
    bool frees;
    bool failed; /* no memory for one or more */
};

static void
pass_text(struct pass *pass, const char **text)
{
    const char *old = *text;

    *text = NULL;
    if (pass->frees) {
        tulle__free((void *)(uintptr_t)old);
    } else if (old != NULL) {
        *text = tulle__strndup(old, strlen(old));
        pass->failed = pass->failed || *text == NULL;
    }
}

static void
pass_array(struct pass *pass, const char *const **array, size_t count)
{
    const char **own = (const char **)(uintptr_t)*array;

    if (!pass->frees) {
        const char *const *from = *array;
        own = count > 0 ? tulle__alloc(count * sizeof *own) : NULL;
        pass->failed = pass->failed || (own == NULL && count > 0);
        if (own != NULL)
            memcpy(own, from, count * sizeof *own);
        *array = own;
    }
    for (size_t i = 0; own != NULL && i < count; i++)
        pass_text(pass, &own[i]);
    if (pass->frees) {
        tulle__free(own);
        *array = NULL;
    }
}

static void
pass_listen(struct pass *pass, const char **listen, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pass_text(pass, &listen[i]);
}

static void
pass_node(struct pass *pass, tulle_node_options *o)
{
    pass_text(pass, &o->mesh);
    pass_text(pass, &o->name);
    pass_text(pass, &o->interface_name);
    pass_text(pass, &o->advertise);
    pass_text(pass, &o->advertise_events);
    pass_text(pass, &o->advertise_inlet);
    pass_text(pass, &o->beacon_interface);
    pass_listen(pass, o->listen, o->listen_count);
    pass_array(pass, &o->join, o->join_count);
}

static void
pass_proxy(struct pass *pass, tulle_proxy_options *o)
{
    pass_text(pass, &o->mesh);
    pass_text(pass, &o->name);
    for (size_t i = 0; i < o->segment_count; i++) {
        tulle_segment_options *s = &o->segments[i];
        pass_text(pass, &s->name);
        pass_text(pass, &s->interface_name);
        pass_text(pass, &s->advertise);
        pass_text(pass, &s->advertise_events);
        pass_text(pass, &s->advertise_inlet);
        pass_text(pass, &s->beacon_interface);
        pass_listen(pass, s->listen, s->listen_count);
        pass_array(pass, &s->join, s->join_count);
        pass_array(pass, &s->allow, s->allow_count);
        pass_array(pass, &s->deny, s->deny_count);
    }
}

/* The name of who was given none: its host's and the process id. */
static void
make_name(char *name, size_t size)
{
    char host[TULLE__NAME_LEN_MAX + 1] = "node";

    (void)gethostname(host, sizeof host - 1);
    host[sizeof host - 1] = '\0';
    (void)snprintf(name, size, "%.45s-%ld", host, (long)getpid());
}

tulle_status
tulle__node_options_copy(const tulle_node_options *from, tulle_node_options *to, tulle_error *error)
{
    struct pass pass = { .frees = false };
    char name[TULLE__NAME_LEN_MAX + 1];
    tulle_status status = check_node(from, error);

    if (status != TULLE_OK)
        return status;
    *to = *from;
    make_name(name, sizeof name);
    if (to->name == NULL)
        to->name = name;
    pass_node(&pass, to);
    if (!pass.failed)
        return TULLE_OK;
    tulle__node_options_fini(to);
    return tulle__error_set(error, TULLE_ENOMEM, "out of memory");
}

void
tulle__node_options_fini(tulle_node_options *o)
{
    pass_node(&(struct pass){ .frees = true }, o);
}

tulle_status
tulle__proxy_options_copy(const tulle_proxy_options *from,
                          tulle_proxy_options *to,
                          tulle_error *error)
{
    struct pass pass = { .frees = false };
    char name[TULLE__NAME_LEN_MAX + 1];
    tulle_status status = check_proxy(from, error);

    if (status != TULLE_OK)
        return status;
    *to = *from;
    make_name(name, sizeof name);
    if (to->name == NULL)
        to->name = name;
    pass_proxy(&pass, to);
    if (!pass.failed)
        return TULLE_OK;
    tulle__proxy_options_fini(to);
    return tulle__error_set(error, TULLE_ENOMEM, "out of memory");
}

void
tulle__proxy_options_fini(tulle_proxy_options *o)
{
    pass_proxy(&(struct pass){ .frees = true }, o);
}

/* ---- what may change while a proxy runs ---- */

struct difference {
    char *text;
    size_t size;
    size_t len;
    const char *segment; /* NULL: of the proxy as a whole */
};

static void
note_if(struct difference *difference, bool is_different, const char *what)
{
    if (!is_different)
        return;
    int added = snprintf(difference->text + difference->len, difference->size - difference->len,
                         "%s%s%s%s%s", difference->len > 0 ? ", " : "",
                         difference->segment != NULL ? "segment " : "",
                         difference->segment != NULL ? difference->segment : "",
                         difference->segment != NULL ? ": " : "", what);
    difference->len += added > 0 ? (size_t)added : 0;
    if (difference->len >= difference->size)
        difference->len = difference->size - 1; /* cut */
}

static bool
is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
has_text(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], text) == 0)
            return true;
    }
    return false;
}

static void
compare_segments(struct difference *difference,
                 const tulle_segment_options *now,
                 const tulle_segment_options *next)
{
    bool is_listen_same = now->listen_count == next->listen_count;
    bool has_all_joined = true;
    for (size_t i = 0; is_listen_same && i < now->listen_count; i++)
        is_listen_same = is_same(now->listen[i], next->listen[i]);
    for (size_t i = 0; i < now->join_count; i++)
        has_all_joined = has_all_joined && has_text(next->join, next->join_count, now->join[i]);
    note_if(difference, !is_listen_same, "listen");
    note_if(difference, !is_same(now->interface_name, next->interface_name), "interface");
    note_if(difference, !is_same(now->advertise, next->advertise), "advertise");
    note_if(difference, !is_same(now->advertise_events, next->advertise_events),
            "advertise_events");
    note_if(difference, !is_same(now->advertise_inlet, next->advertise_inlet), "advertise_inlet");
    note_if(difference, now->use_inlet != next->use_inlet, "inlet");
    note_if(difference, now->dial_only != next->dial_only, "dial_only");
    note_if(difference, !has_all_joined, "join (what was joined stays so)");
    note_if(difference,
            now->use_beacon != next->use_beacon ||
                !is_same(now->beacon_interface, next->beacon_interface),
            "beacon");
    note_if(difference, now->beacon_port != next->beacon_port, "beacon_port");
}

void
tulle__proxy_options_compare(const tulle_proxy_options *now,
                             const tulle_proxy_options *next,
                             char *text,
                             size_t size)
{
    struct difference difference = { .text = text, .size = size };
    text[0] = '\0';
    note_if(&difference, !is_same(now->mesh, next->mesh), "mesh");
    note_if(&difference, !is_same(now->name, next->name), "name");
    note_if(&difference, now->beat_ms != next->beat_ms, "beat_ms");
    note_if(&difference, now->suspect_ms != next->suspect_ms, "suspect_ms");
    note_if(&difference, now->gone_ms != next->gone_ms, "gone_ms");
    note_if(&difference, now->hops_max != next->hops_max, "hops_max");
    bool is_same_set = now->segment_count == next->segment_count;
    for (size_t i = 0; i < now->segment_count; i++)
        is_same_set = is_same_set && tulle__proxy_options_find(next, now->segments[i].name) != NULL;
    note_if(&difference, !is_same_set, "segment (their names)");
    for (size_t i = 0; i < now->segment_count; i++) {
        const tulle_segment_options *segment =
            tulle__proxy_options_find(next, now->segments[i].name);
        difference.segment = now->segments[i].name;
        if (segment != NULL)
            compare_segments(&difference, &now->segments[i], segment);
    }
}

const tulle_segment_options *
tulle__proxy_options_find(const tulle_proxy_options *options, const char *name)
{
    for (size_t i = 0; i < options->segment_count; i++) {
        if (strcmp(options->segments[i].name, name) == 0)
            return &options->segments[i];
    }
    return NULL;
}

tulle_status
tulle__segment_options_add_join(tulle_segment_options *copy, const tulle_segment_options *more)
{
    const char *added[TULLE__LINKS_LIMIT];
    size_t count = 0;
    for (size_t i = 0; i < more->join_count; i++) {
        if (has_text(copy->join, copy->join_count, more->join[i]) ||
            has_text(added, count, more->join[i]))
            continue;
        if (copy->join_count + count == TULLE__LINKS_LIMIT)
            return TULLE_ELIMIT;
        added[count++] = more->join[i];
    }
    if (count == 0)
        return TULLE_OK;
    const char **all = tulle__alloc((copy->join_count + count) * sizeof *all);
    size_t made = 0;
    while (all != NULL && made < count) {
        all[copy->join_count + made] = tulle__strndup(added[made], strlen(added[made]));
        if (all[copy->join_count + made] == NULL)
            break;
        made++;
    }
    if (made < count) {
        while (all != NULL && made > 0)
            tulle__free((void *)(uintptr_t)all[copy->join_count + --made]);
        tulle__free(all);
        return TULLE_ENOMEM;
    }
    if (copy->join_count > 0)
        memcpy(all, copy->join, copy->join_count * sizeof *all);
    tulle__free((void *)(uintptr_t)copy->join);
    copy->join = all;
    copy->join_count += count;
    return TULLE_OK;
}
