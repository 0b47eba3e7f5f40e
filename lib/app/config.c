/* SPDX-License-Identifier: MPL-2.0 */

/* Configuration files. czmq's zconfig reads ZPL but tells neither lines nor
 * reasons (and prints its own complaints to standard output), so the text is
 * checked line by line first. Each line that says something becomes one item of
 * zconfig's tree, in the same order: that gives the line of each.
 *
 * All that is wrong is told, not only the first: whoever corrects a file wants to
 * start the program once more, not once for each mistake. */

#include "app/config.h"

#include <czmq.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A line that says something, and what zconfig made of it. */
struct place {
    unsigned line;
    const zconfig_t *item;
};

struct loader {
    const struct tulle__program *program;
    const char *path;
    struct tulle__strings *strings;
    struct tulle__text *problems;
    size_t problem_count;
    tulle_status status; /* of the first problem */
    struct place *places;
    size_t place_count; /* lines that say something */
    size_t item_count;  /* of them, with their item */
};

/* line 0: none. */
__attribute__((format(printf, 4, 5))) static void
fail(struct loader *loader, tulle_status status, unsigned line, const char *format, ...)
{
    if (loader->status == TULLE_OK)
        loader->status = status;
    if (loader->problem_count++ >= TULLE__CONFIG_PROBLEMS_MAX) {
        if (loader->problem_count == TULLE__CONFIG_PROBLEMS_MAX + 1)
            tulle__text_format(loader->problems, "%s: and more\n", loader->path);
        return;
    }
    char what[300];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(what, sizeof what, format, list);
    va_end(list);
    tulle__text_str(loader->problems, loader->path);
    if (line > 0)
        tulle__text_format(loader->problems, ":%u", line);
    tulle__text_format(loader->problems, ": %s\n", what);
}

/* Read all of the file; the result has a NUL behind it. NULL: it was told why not. */
static char *
read_file(struct loader *loader, size_t *len)
{
    FILE *file = fopen(loader->path, "r");
    char *text = file == NULL ? NULL : malloc(TULLE__CONFIG_BYTES_MAX + 2);
    if (text == NULL) {
        fail(loader, file == NULL ? TULLE_ENOENT : TULLE_ENOMEM, 0, "%s",
             file == NULL ? strerror(errno) : "out of memory");
        if (file != NULL)
            (void)fclose(file);
        return NULL;
    }
    errno = 0;
    *len = fread(text, 1, TULLE__CONFIG_BYTES_MAX + 1, file);
    bool is_bad = ferror(file) != 0;
    if (is_bad) {
        fail(loader, TULLE_ENOENT, 0, "%s", strerror(errno));
    } else if (*len > TULLE__CONFIG_BYTES_MAX) {
        fail(loader, TULLE_EINVAL, 0, "longer than %d bytes", TULLE__CONFIG_BYTES_MAX);
        is_bad = true;
    }
    (void)fclose(file);
    if (is_bad) {
        free(text);
        return NULL;
    }
    text[*len] = '\0';
    return text;
}

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* Behind a value only a comment may follow. */
static const char *
check_value(const char *at, const char *end)
{
    while (at < end && *at == ' ')
        at++;
    if (at < end && (*at == '"' || *at == '\'')) {
        const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
        if (close == NULL)
            return "the quote is not closed";
        at = close + 1;
        while (at < end && *at == ' ')
            at++;
        if (at < end && *at != '#')
            return "something follows the closing quote";
    }
    return NULL;
}

/* One line without its end. Returns what is wrong, or NULL; depth: how far its item is
 * indented, -1 for a line without item. */
static const char *
check_line(const char *line, size_t len, int *depth)
{
    const char *end = line + len;
    const char *at = line;
    *depth = -1;
    if (memchr(line, '\0', len) != NULL) /* in a comment too: zconfig would see the end there */
        return "a zero byte";
    while (at < end && *at == ' ')
        at++;
    if (at == end || *at == '#')
        return NULL;
    if (*at == '\t')
        return "a tab: indent by four spaces";
    if ((at - line) % 4 != 0)
        return "indentation that is no multiple of four spaces";
    *depth = (int)((at - line) / 4);
    const char *name = at;
    while (at < end && is_name_char(*at))
        at++;
    if (at == name)
        return "a key is missing";
    while (at < end && *at == ' ')
        at++;
    if (at == end || *at == '#')
        return NULL;
    if (*at != '=')
        return "'=' is missing behind the key";
    return check_value(at + 1, end);
}

static void
check_text(struct loader *loader, char *text, size_t len)
{
    unsigned number = 0;
    int last_depth = -1;
    for (size_t start = 0; start < len;) {
        char *line = text + start;
        char *newline = memchr(line, '\n', len - start);
        size_t line_len = newline != NULL ? (size_t)(newline - line) : len - start;
        start += line_len + 1;
        number++;
        if (line_len > 0 && line[line_len - 1] == '\r')
            line[--line_len] = ' '; /* zconfig would keep it as part of the value */
        int depth = -1;
        const char *problem = check_line(line, line_len, &depth);
        if (problem == NULL && depth > last_depth + 1)
            problem = "indented too far: four spaces below what it belongs to";
        if (depth >= 0)
            last_depth = depth;
        if (problem != NULL) {
            fail(loader, TULLE_EINVAL, number, "%s", problem);
            continue;
        }
        if (depth < 0)
            continue;
        if (loader->place_count == TULLE__CONFIG_LINES_MAX) {
            fail(loader, TULLE_EINVAL, number, "more than %d keys", TULLE__CONFIG_LINES_MAX);
            return;
        }
        loader->places[loader->place_count++].line = number;
    }
}

static void
place_items(struct loader *loader, zconfig_t *item)
{
    for (; item != NULL; item = zconfig_next(item)) {
        if (loader->item_count < loader->place_count)
            loader->places[loader->item_count++].item = item;
        place_items(loader, zconfig_child(item));
    }
}

static unsigned
line_of(const struct loader *loader, const zconfig_t *item)
{
    for (size_t i = 0; i < loader->item_count; i++) {
        if (loader->places[i].item == item)
            return loader->places[i].line;
    }
    return 0;
}

/* Is name the second word of arg, in small letters? */
static bool
is_second_word(const char *arg, const char *name)
{
    const char *space = arg == NULL ? NULL : strchr(arg, ' ');
    if (space == NULL)
        return false;
    const char *word = space + 1;
    size_t i = 0;
    for (; word[i] != '\0' && name[i] != '\0'; i++) {
        char small = word[i] >= 'A' && word[i] <= 'Z' ? (char)(word[i] - 'A' + 'a') : word[i];
        if (small != name[i])
            return false;
    }
    return word[i] == '\0' && name[i] == '\0';
}

static bool
is_repeated(zconfig_t *parent, const zconfig_t *item)
{
    const char *name = zconfig_name((zconfig_t *)(uintptr_t)item);
    for (zconfig_t *at = zconfig_child(parent); at != NULL && at != item; at = zconfig_next(at)) {
        if (strcmp(zconfig_name(at), name) == 0)
            return true;
    }
    return false;
}

/* The second half of a pair, the only thing that may stand below a key. */
static bool
load_second(struct loader *loader,
            const struct tulle__option *option,
            zconfig_t *item,
            const char **second)
{
    zconfig_t *child = zconfig_child(item);
    unsigned line = line_of(loader, child != NULL ? child : item);
    *second = NULL;
    if (option->type != TULLE__OPTION_PAIRS) {
        if (child != NULL)
            fail(loader, TULLE_EINVAL, line, "'%s' has nothing below it", option->name);
        return child == NULL;
    }
    if (child == NULL) {
        fail(loader, TULLE_EINVAL, line, "'%s' needs %s, indented below it", option->name,
             option->arg);
    } else if (!is_second_word(option->arg, zconfig_name(child))) {
        fail(loader, TULLE_EINVAL, line, "unknown key '%.60s' below '%s': it has %s",
             zconfig_name(child), option->name, option->arg);
    } else if (zconfig_child(child) != NULL || zconfig_next(child) != NULL) {
        fail(loader, TULLE_EINVAL,
             line_of(loader,
                     zconfig_child(child) != NULL ? zconfig_child(child) : zconfig_next(child)),
             "'%s' has one key below it", option->name);
    } else {
        *second = zconfig_value(child) != NULL ? zconfig_value(child) : "";
    }
    return *second != NULL;
}

static void
load_option(struct loader *loader,
            const struct tulle__option *option,
            void *target,
            zconfig_t *parent,
            zconfig_t *item)
{
    unsigned line = line_of(loader, item);
    bool is_list = option->type == TULLE__OPTION_LIST || option->type == TULLE__OPTION_PAIRS;
    if (!is_list && is_repeated(parent, item)) {
        fail(loader, TULLE_EINVAL, line, "'%s' is given twice: leave one", option->name);
        return;
    }
    const char *values[2] = { zconfig_value(item), NULL };
    if (values[0] == NULL || values[0][0] == '\0') {
        values[0] = "";
        if (option->type == TULLE__OPTION_FLAG) {
            values[0] = "true";
        } else if (option->implied != NULL) {
            values[0] = option->implied;
        } else if (option->type != TULLE__OPTION_STRING) {
            fail(loader, TULLE_EINVAL, line, "'%s' needs a value", option->name);
            return;
        }
    }
    char problem[TULLE__PROBLEM_LEN] = "";
    if (load_second(loader, option, item, &values[1]) &&
        !tulle__option_set(option, target, values, loader->strings, problem))
        fail(loader, TULLE_EINVAL, line, "%s: %s", option->name, problem);
}

static const struct tulle__option *
find_key(const struct tulle__option *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if ((options[i].flags & TULLE__OPTION_FLAG_ONLY) == 0 && strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

static void
load_section(struct loader *loader, zconfig_t *item)
{
    const struct tulle__section *section = loader->program->section;
    unsigned line = line_of(loader, item);
    const char *name = tulle__strings_copy(loader->strings, zconfig_value(item));
    if (name == NULL || name[0] == '\0') {
        fail(loader, TULLE_EINVAL, line, "'%s' needs %s", section->name, section->arg);
        return;
    }
    void *target = section->open(section->ctx, name);
    if (target == NULL) {
        fail(loader, TULLE_EINVAL, line, "too many: %s", section->name);
        return;
    }
    for (zconfig_t *at = zconfig_child(item); at != NULL; at = zconfig_next(at)) {
        const struct tulle__option *option =
            find_key(section->options, section->count, zconfig_name(at));
        if (option != NULL) {
            load_option(loader, option, target, item, at);
        } else {
            fail(loader, TULLE_EINVAL, line_of(loader, at),
                 "unknown key '%.60s' in %s; --print-config shows those that there are",
                 zconfig_name(at), section->name);
        }
    }
}

static void
load_item(struct loader *loader, zconfig_t *root, zconfig_t *item)
{
    const struct tulle__program *program = loader->program;
    const char *name = zconfig_name(item);
    for (size_t i = 0; i < program->group_count; i++) {
        const struct tulle__option_group *group = &program->groups[i];
        const struct tulle__option *option = find_key(group->options, group->count, name);
        if (option != NULL) {
            load_option(loader, option, group->target, root, item);
            return;
        }
    }
    if (program->section != NULL && strcmp(program->section->name, name) == 0) {
        load_section(loader, item);
        return;
    }
    if (program->skips_foreign)
        return;
    bool is_of_section = program->section != NULL &&
                         find_key(program->section->options, program->section->count, name) != NULL;
    fail(loader, TULLE_EINVAL, line_of(loader, item), "unknown key '%.60s'; %s%s", name,
         is_of_section ? "indent it by four spaces below its "
                       : "--print-config shows those that there are",
         is_of_section ? program->section->name : "");
}

tulle_status
tulle__config_load(const struct tulle__program *program,
                   const char *path,
                   struct tulle__strings *strings,
                   struct tulle__text *problems)
{
    struct loader loader = {
        .program = program, .path = path, .strings = strings, .problems = problems
    };
    size_t len = 0;
    char *text = read_file(&loader, &len);
    if (text == NULL)
        return loader.status;
    zconfig_t *root = NULL;
    loader.places = calloc(TULLE__CONFIG_LINES_MAX, sizeof *loader.places);
    if (loader.places != NULL)
        check_text(&loader, text, len);
    else
        fail(&loader, TULLE_ENOMEM, 0, "out of memory");
    if (loader.status == TULLE_OK && loader.place_count > 0) {
        root = zconfig_str_load(text);
        if (root == NULL)
            fail(&loader, TULLE_EINVAL, 0, "cannot be read as ZPL");
    }
    zconfig_t *item = root == NULL ? NULL : zconfig_child(root);
    place_items(&loader, item);
    for (; item != NULL; item = zconfig_next(item))
        load_item(&loader, root, item);
    zconfig_destroy(&root);
    free(loader.places);
    free(text);
    return loader.status;
}

static void
print_value(const char *indent, const char *name, const char *value, FILE *to)
{
    bool has_double = strchr(value, '"') != NULL;
    if (strchr(value, '\n') != NULL || (has_double && strchr(value, '\'') != NULL)) {
        (void)fprintf(to, "%s# %s: its value cannot be written in this format\n", indent, name);
        return;
    }
    size_t len = strlen(value);
    bool needs_quotes =
        len == 0 || value[0] == ' ' || value[len - 1] == ' ' || strpbrk(value, "#\"'") != NULL;
    const char *quote = !needs_quotes ? "" : has_double ? "'" : "\"";
    (void)fprintf(to, "%s%s = %s%s%s\n", indent, name, quote, value, quote);
}

static void
print_key(const char *indent, const struct tulle__option *option, const void *target, FILE *to)
{
    static const char deeper[] = "        ";
    char first[4096];
    char second[4096];
    char word[64] = "value";
    if (option->type == TULLE__OPTION_PAIRS && option->arg != NULL) {
        const char *space = strchr(option->arg, ' ');
        (void)snprintf(word, sizeof word, "%s", space != NULL ? space + 1 : "value");
        for (char *at = word; *at != '\0'; at++)
            *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    }
    (void)fprintf(to, "%s# %s", indent, option->help);
    if (option->unit != NULL)
        (void)fprintf(to, "; %s", option->unit);
    if (option->type != TULLE__OPTION_LIST && option->type != TULLE__OPTION_PAIRS &&
        option->max > 0)
        (void)fprintf(to, ", %.15g to %.15g", option->min, option->max);
    (void)fputc('\n', to);
    size_t index = 0;
    while (tulle__option_get(option, target, index, first, second, sizeof first)) {
        print_value(indent, option->name, first, to);
        if (option->type == TULLE__OPTION_PAIRS)
            print_value(indent[0] == '\0' ? deeper + 4 : deeper, word, second, to);
        index++;
    }
    if (index == 0)
        (void)fprintf(to, "%s# %s =\n", indent, option->name);
}

void
tulle__config_print(const struct tulle__program *program, FILE *to)
{
    for (size_t i = 0; i < program->group_count; i++) {
        const struct tulle__option_group *group = &program->groups[i];
        for (size_t k = 0; k < group->count; k++) {
            if ((group->options[k].flags & TULLE__OPTION_FLAG_ONLY) == 0)
                print_key("", &group->options[k], group->target, to);
        }
    }
    const struct tulle__section *section = program->section;
    if (section == NULL)
        return;
    const char *value = NULL;
    for (size_t i = 0;; i++) {
        const void *target = section->at(section->ctx, i, &value);
        if (target == NULL)
            break;
        print_value("", section->name, value, to);
        for (size_t k = 0; k < section->count; k++)
            print_key("    ", &section->options[k], target, to);
    }
}
