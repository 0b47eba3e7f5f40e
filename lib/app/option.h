/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_OPTION_H
#define TULLE_APP_OPTION_H

/* One table row per option, for the command line and the configuration file.
 *
 * A row says how an option is called, what it takes, where its value goes and
 * what --help says about it. The row named "beat_ms" is --beat-ms on the command
 * line and "beat_ms = 500" in a file. A value goes to the byte at `offset` of
 * the row's target, a struct of the program; the type of that field follows
 * from the row's type. Nothing here reads argv or files: args.h and config.h
 * do, and both end in tulle__option_set().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tulle__option_type {
    TULLE__OPTION_FLAG = 1, /* bool; takes no argument; true or false in a file */
    TULLE__OPTION_STRING,   /* const char * */
    TULLE__OPTION_CHOICE,   /* int: the value of one of choices */
    TULLE__OPTION_U16,      /* uint16_t */
    TULLE__OPTION_U32,      /* uint32_t */
    TULLE__OPTION_U64,      /* uint64_t */
    TULLE__OPTION_BYTES32,  /* uint32_t; suffixes K, M, G: times 1024 */
    TULLE__OPTION_BYTES,    /* uint64_t; the same */
    TULLE__OPTION_SECONDS,  /* int64_t milliseconds; written as seconds, decimals allowed */
    TULLE__OPTION_NUMBER,   /* double */
    TULLE__OPTION_LIST,     /* struct tulle__list; repeatable */
    TULLE__OPTION_PAIRS     /* struct tulle__list, two items each time; repeatable; two arguments */
};

enum {
    TULLE__OPTION_FLAG_ONLY = 1, /* not in files */
    TULLE__OPTION_FILE_ONLY = 2, /* not on the command line */
    TULLE__OPTION_RARE = 4       /* --help leaves it out, --help-all shows it */
};

struct tulle__choice {
    const char *name; /* NULL ends the table */
    int value;
};

struct tulle__option {
    const char *name; /* in snake_case */
    char letter;      /* of the short form; 0: none */
    enum tulle__option_type type;
    unsigned flags;
    size_t offset;       /* of the field in the target */
    const char *arg;     /* argument's name in the help; two words for PAIRS */
    const char *implied; /* with an optional argument: the value when none is given */
    const struct tulle__choice *choices;
    /* Of a STRING, each item of a LIST, the first of PAIRS: NULL when the value is right, else
     * what it is instead, such as "no pattern". NULL: everything is right. */
    const char *(*check)(const char *value);
    double min, max;  /* of numbers; both 0: only what the field can hold; of a LIST or PAIRS: max
                         is the most times that it may be given */
    const char *unit; /* of numbers, for the configuration's table: "ms", "bytes"; else NULL */
    const char *help; /* one phrase, no full stop */
};

/* The name of the choice with this value; "": none has it. */
const char *tulle__choice_name(const struct tulle__choice *choices, int value);

/* Strings in order of appearance. Start from { 0 }. */
struct tulle__list {
    const char **items;
    size_t count;
};

/* Owns what options point to: copies of strings and the arrays of lists. Start
 * from { 0 }; tulle__strings_fini() frees everything at once. */
struct tulle__strings {
    void **blocks;
    size_t count;
};

char *tulle__strings_copy(struct tulle__strings *strings, const char *text);
void tulle__strings_fini(struct tulle__strings *strings);

enum { TULLE__PROBLEM_LEN = 200 };

/* Set the row's field of target from text.
 *
 * values   one string (two for PAIRS); what is kept of them is copied to strings
 * problem  on failure a phrase such as "'x' is not a number", without the option's name
 *
 * Returns false when the value is not allowed; nothing is changed then. */
bool tulle__option_set(const struct tulle__option *option,
                       void *target,
                       const char *const *values,
                       struct tulle__strings *strings,
                       char problem[static TULLE__PROBLEM_LEN]);

/* Forget the items of a LIST or PAIRS, so that flags replace what a file said. */
void tulle__option_clear(const struct tulle__option *option, void *target);

/* The field's value as tulle__option_set() would read it; for lists item index.
 * Returns false when there is none: NULL string, or index past the end (other
 * types have only index 0). second: of PAIRS, may be NULL. */
bool tulle__option_get(const struct tulle__option *option,
                       const void *target,
                       size_t index,
                       char *first,
                       char *second,
                       size_t len);

/* The option as typed, "--beat-ms", into out. */
void tulle__option_flag(const struct tulle__option *option, char *out, size_t len);

/* Numbers as options read them; for the programs' own use too. Return false
 * for anything but one whole number in range. */
bool tulle__parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out);
bool tulle__parse_bytes(const char *text, uint64_t *out);
bool tulle__parse_seconds(const char *text, int64_t *ms_out);

#endif
