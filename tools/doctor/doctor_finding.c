/* SPDX-License-Identifier: MPL-2.0 */

/* Findings, told section by section. */

#include "tools/doctor/doctor_finding.h"

#include "app/json.h"
#include "tools/common/terminal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LEN = 1200 };

void
tulle__findings_fini(struct tulle__findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].text);
        free(findings->items[i].remedy);
    }
    free(findings->items);
    *findings = (struct tulle__findings){ .items = NULL };
}

static bool
make_room(struct tulle__findings *findings)
{
    if (findings->count < findings->cap)
        return true;
    size_t cap = findings->cap == 0 ? 32 : 2 * findings->cap;
    struct tulle__finding *more = realloc(findings->items, cap * sizeof *more);
    if (more == NULL)
        return false;
    findings->items = more;
    findings->cap = cap;
    return true;
}

void
tulle__find(struct tulle__findings *findings,
            enum tulle__finding_level level,
            const char *id,
            const char *remedy,
            const char *format,
            ...)
{
    char text[TEXT_LEN];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct tulle__finding finding = { .level = level, .id = id, .text = strdup(text) };
    if (remedy != NULL)
        finding.remedy = strdup(remedy);
    bool is_whole = finding.text != NULL && (remedy == NULL || finding.remedy != NULL);
    if (!is_whole || !make_room(findings)) {
        free(finding.text);
        free(finding.remedy);
        findings->has_failed = true;
        return;
    }
    findings->items[findings->count++] = finding;
}

size_t
tulle__findings_count(const struct tulle__findings *findings, enum tulle__finding_level level)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].level == level;
    return count;
}

static bool
is_shown(const struct tulle__finding *finding, bool is_quiet)
{
    return !is_quiet || finding->level >= TULLE__FINDING_WARNING;
}

static size_t
section_len(const char *id)
{
    return strcspn(id, ".");
}

/* ---- text ---- */

static const char *const level_names[] = { "ok", "note", "warning", "problem" };
static const char *const colours[] = { "\033[32m", "", "\033[33m", "\033[1;31m" };

static void
put_one(const struct tulle__finding *finding, bool has_colour, struct tulle__text *out)
{
    tulle__text_format(out, "  %s%-8s%s ", has_colour ? colours[finding->level] : "",
                       level_names[finding->level], has_colour ? "\033[0m" : "");
    tulle__terminal_put_safe(out, finding->text, strlen(finding->text));
    tulle__text_char(out, '\n');
    if (finding->remedy == NULL)
        return;
    tulle__text_str(out, "           -> ");
    tulle__terminal_put_safe(out, finding->remedy, strlen(finding->remedy));
    tulle__text_char(out, '\n');
}

static void
put_count(size_t count, const char *what, struct tulle__text *out)
{
    tulle__text_format(out, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

void
tulle__findings_put_text(const struct tulle__findings *findings,
                         bool is_quiet,
                         bool has_colour,
                         struct tulle__text *out)
{
    const char *section = "";
    for (size_t i = 0; i < findings->count; i++) {
        const struct tulle__finding *finding = &findings->items[i];
        if (!is_shown(finding, is_quiet))
            continue;
        size_t len = section_len(finding->id);
        if (section_len(section) != len || strncmp(section, finding->id, len) != 0) {
            tulle__text_char(out, (char)toupper((unsigned char)finding->id[0]));
            tulle__text_put(out, finding->id + 1, len - 1);
            tulle__text_char(out, '\n');
            section = finding->id;
        }
        put_one(finding, has_colour, out);
    }
    size_t problems = tulle__findings_count(findings, TULLE__FINDING_PROBLEM);
    size_t warnings = tulle__findings_count(findings, TULLE__FINDING_WARNING);
    if (is_quiet && problems + warnings == 0)
        return;
    tulle__text_str(out, out->len > 0 ? "\n" : "");
    put_count(problems, "problem", out);
    tulle__text_str(out, ", ");
    put_count(warnings, "warning", out);
    tulle__text_char(out, '\n');
}

/* ---- JSON ---- */

void
tulle__findings_put_json(const struct tulle__findings *findings,
                         bool is_quiet,
                         struct tulle__text *out)
{
    const char *separator = "\n";
    tulle__text_format(out, "{\"problems\":%zu,\"warnings\":%zu,\"findings\":[",
                       tulle__findings_count(findings, TULLE__FINDING_PROBLEM),
                       tulle__findings_count(findings, TULLE__FINDING_WARNING));
    for (size_t i = 0; i < findings->count; i++) {
        const struct tulle__finding *finding = &findings->items[i];
        if (!is_shown(finding, is_quiet))
            continue;
        tulle__text_format(out, "%s{\"id\":\"%s\",\"level\":\"%s\",\"text\":", separator,
                           finding->id, level_names[finding->level]);
        tulle__json_put_str(out, finding->text, strlen(finding->text));
        tulle__text_str(out, ",\"remedy\":");
        if (finding->remedy == NULL)
            tulle__text_str(out, "null");
        else
            tulle__json_put_str(out, finding->remedy, strlen(finding->remedy));
        tulle__text_char(out, '}');
        separator = ",\n";
    }
    tulle__text_str(out, "]}\n");
}
