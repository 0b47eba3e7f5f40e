/* SPDX-License-Identifier: MPL-2.0 */

/* Option rows: text to fields and back. The type of a row says which field its
 * offset names, so all casts between rows and structs are in this file.
 *
 * Numbers are parsed strictly: no leading space, no sign where none is allowed,
 * nothing behind. */

#include "app/option.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
keep_block(struct tulle__strings *strings, size_t len)
{
    if ((strings->count & (strings->count - 1)) == 0) { /* full: the size is a power of two */
        size_t cap = strings->count == 0 ? 1 : strings->count * 2;
        void **blocks = realloc(strings->blocks, cap * sizeof *blocks);
        if (blocks == NULL)
            return NULL;
        strings->blocks = blocks;
    }
    void *block = malloc(len);
    if (block != NULL)
        strings->blocks[strings->count++] = block;
    return block;
}

char *
tulle__strings_copy(struct tulle__strings *strings, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = keep_block(strings, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void
tulle__strings_fini(struct tulle__strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->blocks[i]);
    free((void *)strings->blocks);
    *strings = (struct tulle__strings){ 0 };
}

static bool
push_item(struct tulle__list *list, struct tulle__strings *strings, const char *text)
{
    const char *copy = tulle__strings_copy(strings, text);
    if (copy == NULL)
        return false;
    if ((list->count & (list->count - 1)) == 0) {
        /* The old array stays among the blocks: lists are short and few. */
        size_t cap = list->count == 0 ? 1 : list->count * 2;
        const char **items = keep_block(strings, cap * sizeof *items);
        if (items == NULL)
            return false;
        for (size_t i = 0; i < list->count; i++)
            items[i] = list->items[i];
        list->items = items;
    }
    list->items[list->count++] = copy;
    return true;
}

bool
tulle__parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    if (text[0] < '0' || text[0] > '9')
        return false;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool
tulle__parse_bytes(const char *text, uint64_t *out)
{
    if (text[0] < '0' || text[0] > '9')
        return false;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    unsigned shift = 0;
    if (*end == 'K' || *end == 'k')
        shift = 10;
    else if (*end == 'M')
        shift = 20;
    else if (*end == 'G')
        shift = 30;
    if (shift != 0)
        end++;
    if (*end != '\0' || value > UINT64_MAX >> shift)
        return false;
    *out = value << shift;
    return true;
}

static bool
parse_number(const char *text, double *out)
{
    bool is_digit = text[0] >= '0' && text[0] <= '9';
    if (!is_digit && text[0] != '.' && text[0] != '-')
        return false; /* strtod() would take spaces, "inf", "nan" */
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == 'x' || *at == 'X')
            return false;
    }
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool
tulle__parse_seconds(const char *text, int64_t *ms_out)
{
    double value = 0;
    if (!parse_number(text, &value) || value < 0 || value > 1e9)
        return false;
    *ms_out = (int64_t)(value * 1000.0 + 0.5);
    return true;
}

static bool
tell(char problem[static TULLE__PROBLEM_LEN], const char *text, const char *what)
{
    (void)snprintf(problem, TULLE__PROBLEM_LEN, "'%.100s' is %s", text, what);
    return false;
}

static bool
is_in_range(const struct tulle__option *option, double value, char *problem)
{
    if (option->min == 0 && option->max == 0)
        return true;
    if (value >= option->min && value <= option->max)
        return true;
    (void)snprintf(problem, TULLE__PROBLEM_LEN, "must be from %.15g to %.15g", option->min,
                   option->max);
    return false;
}

static bool
set_whole(const struct tulle__option *option, char *field, const char *text, char *problem)
{
    uint64_t max = UINT64_MAX;
    if (option->type == TULLE__OPTION_U16)
        max = UINT16_MAX;
    else if (option->type == TULLE__OPTION_U32 || option->type == TULLE__OPTION_BYTES32)
        max = UINT32_MAX;

    uint64_t value = 0;
    if (option->type == TULLE__OPTION_BYTES || option->type == TULLE__OPTION_BYTES32) {
        if (!tulle__parse_bytes(text, &value))
            return tell(problem, text, "not a number of bytes (digits, then perhaps K, M or G)");
    } else if (!tulle__parse_u64(text, 0, UINT64_MAX, &value)) {
        return tell(problem, text, "not a whole number");
    }
    if (value > max)
        return tell(problem, text, "too large");
    if (!is_in_range(option, (double)value, problem))
        return false;

    if (option->type == TULLE__OPTION_U16) {
        uint16_t narrow = (uint16_t)value;
        memcpy(field, &narrow, sizeof narrow);
    } else if (max == UINT32_MAX) {
        uint32_t narrow = (uint32_t)value;
        memcpy(field, &narrow, sizeof narrow);
    } else {
        memcpy(field, &value, sizeof value);
    }
    return true;
}

static bool
set_choice(const struct tulle__option *option, char *field, const char *text, char *problem)
{
    size_t len = 0;
    for (const struct tulle__choice *choice = option->choices; choice->name != NULL; choice++) {
        if (strcmp(choice->name, text) == 0) {
            memcpy(field, &choice->value, sizeof choice->value);
            return true;
        }
        int wrote = snprintf(problem + len, TULLE__PROBLEM_LEN - len, "%s%s",
                             len == 0 ? "must be one of: " : ", ", choice->name);
        if (wrote > 0 && len + (size_t)wrote < TULLE__PROBLEM_LEN)
            len += (size_t)wrote;
    }
    return false;
}

static bool
set_flag(char *field, const char *text, char *problem)
{
    bool is_on = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "1") == 0;
    bool is_off = strcmp(text, "false") == 0 || strcmp(text, "no") == 0 || strcmp(text, "0") == 0;
    if (!is_on && !is_off)
        return tell(problem, text, "neither true nor false");
    memcpy(field, &is_on, sizeof is_on);
    return true;
}

static bool
set_number(const struct tulle__option *option, char *field, const char *text, char *problem)
{
    double value = 0;
    if (!parse_number(text, &value))
        return tell(problem, text, "not a number");
    if (!is_in_range(option, value, problem))
        return false;
    if (option->type == TULLE__OPTION_NUMBER) {
        memcpy(field, &value, sizeof value);
        return true;
    }
    int64_t ms = 0;
    if (!tulle__parse_seconds(text, &ms))
        return tell(problem, text, "not a number of seconds");
    memcpy(field, &ms, sizeof ms);
    return true;
}

static bool
set_list(const struct tulle__option *option,
         struct tulle__list *list,
         const char *const *values,
         struct tulle__strings *strings,
         char *problem)
{
    size_t step = option->type == TULLE__OPTION_PAIRS ? 2 : 1;
    size_t count = list->count / step;
    if (option->max > 0 && (double)count >= option->max) {
        (void)snprintf(problem, TULLE__PROBLEM_LEN, "may be given %.0f times", option->max);
        return false;
    }
    for (size_t i = 0; i < step; i++) {
        if (!push_item(list, strings, values[i])) {
            (void)snprintf(problem, TULLE__PROBLEM_LEN, "out of memory");
            return false;
        }
    }
    return true;
}

bool
tulle__option_set(const struct tulle__option *option,
                  void *target,
                  const char *const *values,
                  struct tulle__strings *strings,
                  char problem[static TULLE__PROBLEM_LEN])
{
    char *field = (char *)target + option->offset;
    const char *wrong = option->check == NULL ? NULL : option->check(values[0]);
    if (wrong != NULL)
        return tell(problem, values[0], wrong);
    switch (option->type) {
    case TULLE__OPTION_FLAG:
        return set_flag(field, values[0], problem);
    case TULLE__OPTION_STRING: {
        const char *copy = tulle__strings_copy(strings, values[0]);
        if (copy == NULL) {
            (void)snprintf(problem, TULLE__PROBLEM_LEN, "out of memory");
            return false;
        }
        memcpy(field, &copy, sizeof copy);
        return true;
    }
    case TULLE__OPTION_CHOICE:
        return set_choice(option, field, values[0], problem);
    case TULLE__OPTION_U16:
    case TULLE__OPTION_U32:
    case TULLE__OPTION_U64:
    case TULLE__OPTION_BYTES32:
    case TULLE__OPTION_BYTES:
        return set_whole(option, field, values[0], problem);
    case TULLE__OPTION_SECONDS:
    case TULLE__OPTION_NUMBER:
        return set_number(option, field, values[0], problem);
    case TULLE__OPTION_LIST:
    case TULLE__OPTION_PAIRS:
        return set_list(option, (void *)field, values, strings, problem);
    }
    return false;
}

void
tulle__option_clear(const struct tulle__option *option, void *target)
{
    if (option->type != TULLE__OPTION_LIST && option->type != TULLE__OPTION_PAIRS)
        return;
    struct tulle__list none = { 0 };
    memcpy((char *)target + option->offset, &none, sizeof none);
}

static void
print_bytes(uint64_t value, char *out, size_t len)
{
    static const char suffixes[] = { '\0', 'K', 'M', 'G' };
    size_t power = 0;
    while (power < 3 && value != 0 && value % 1024 == 0) {
        value /= 1024;
        power++;
    }
    if (power == 0)
        (void)snprintf(out, len, "%" PRIu64, value);
    else
        (void)snprintf(out, len, "%" PRIu64 "%c", value, suffixes[power]);
}

static bool
get_item(const struct tulle__option *option,
         const char *field,
         size_t index,
         char *first,
         char *second,
         size_t len)
{
    struct tulle__list list;
    memcpy(&list, field, sizeof list);
    size_t step = option->type == TULLE__OPTION_PAIRS ? 2 : 1;
    if (index * step >= list.count)
        return false;
    (void)snprintf(first, len, "%s", list.items[index * step]);
    if (step == 2 && second != NULL)
        (void)snprintf(second, len, "%s", list.items[index * step + 1]);
    return true;
}

static void
get_whole(const struct tulle__option *option, const char *field, char *out, size_t len)
{
    uint64_t value = 0;
    if (option->type == TULLE__OPTION_U16) {
        uint16_t narrow = 0;
        memcpy(&narrow, field, sizeof narrow);
        value = narrow;
    } else if (option->type == TULLE__OPTION_U32 || option->type == TULLE__OPTION_BYTES32) {
        uint32_t narrow = 0;
        memcpy(&narrow, field, sizeof narrow);
        value = narrow;
    } else {
        memcpy(&value, field, sizeof value);
    }
    if (option->type == TULLE__OPTION_BYTES || option->type == TULLE__OPTION_BYTES32)
        print_bytes(value, out, len);
    else
        (void)snprintf(out, len, "%" PRIu64, value);
}

const char *
tulle__choice_name(const struct tulle__choice *choices, int value)
{
    while (choices->name != NULL && choices->value != value)
        choices++;
    return choices->name != NULL ? choices->name : "";
}

static bool
get_choice(const struct tulle__option *option, const char *field, char *out, size_t len)
{
    int value = 0;
    memcpy(&value, field, sizeof value);
    const char *name = tulle__choice_name(option->choices, value);
    (void)snprintf(out, len, "%s", name);
    return name[0] != '\0';
}

/* STRING, FLAG, SECONDS and NUMBER. */
static bool
get_scalar(const struct tulle__option *option, const char *field, char *out, size_t len)
{
    if (option->type == TULLE__OPTION_STRING) {
        const char *text = NULL;
        memcpy(&text, field, sizeof text);
        if (text != NULL)
            (void)snprintf(out, len, "%s", text);
        return text != NULL;
    }
    if (option->type == TULLE__OPTION_FLAG) {
        bool is_on = false;
        memcpy(&is_on, field, sizeof is_on);
        (void)snprintf(out, len, "%s", is_on ? "true" : "false");
    } else if (option->type == TULLE__OPTION_SECONDS) {
        int64_t ms = 0;
        memcpy(&ms, field, sizeof ms);
        if (ms < 0)
            return false;
        (void)snprintf(out, len, "%.15g", (double)ms / 1000.0);
    } else {
        double value = 0;
        memcpy(&value, field, sizeof value);
        (void)snprintf(out, len, "%.15g", value);
    }
    return true;
}

bool
tulle__option_get(const struct tulle__option *option,
                  const void *target,
                  size_t index,
                  char *first,
                  char *second,
                  size_t len)
{
    const char *field = (const char *)target + option->offset;
    if (option->type == TULLE__OPTION_LIST || option->type == TULLE__OPTION_PAIRS)
        return get_item(option, field, index, first, second, len);
    if (index > 0)
        return false;
    switch (option->type) {
    case TULLE__OPTION_CHOICE:
        return get_choice(option, field, first, len);
    case TULLE__OPTION_U16:
    case TULLE__OPTION_U32:
    case TULLE__OPTION_U64:
    case TULLE__OPTION_BYTES32:
    case TULLE__OPTION_BYTES:
        get_whole(option, field, first, len);
        return true;
    case TULLE__OPTION_FLAG:
    case TULLE__OPTION_STRING:
    case TULLE__OPTION_SECONDS:
    case TULLE__OPTION_NUMBER:
        return get_scalar(option, field, first, len);
    case TULLE__OPTION_LIST:
    case TULLE__OPTION_PAIRS:
        break;
    }
    return false;
}

void
tulle__option_flag(const struct tulle__option *option, char *out, size_t len)
{
    (void)snprintf(out, len, "--%s", option->name);
    for (char *at = out; *at != '\0'; at++) {
        if (*at == '_')
            *at = '-';
    }
}
