/* SPDX-License-Identifier: MPL-2.0 */

/* tulle doctor: why do two nodes not see each other? This host is examined, then the way to the
 * mesh from outside, then the mesh from inside, and what is wrong is told with what helps. */

#include "tools/doctor/doctor.h"

#include "app/exit.h"
#include "tools/common/terminal.h"
#include "tools/common/tools.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char notes[] =
    "Give it the options of the node that has trouble, on its host, with --join of the one that "
    "it\n"
    "does not see; then the other way round.\n\n"
    "Exit status: 0 all is well, 1 warnings, 2 problems or wrong options.\n\n"
    "Examples:\n"
    "  tulle doctor --join tcp://192.0.2.7:7100\n"
    "  tulle doctor --config /etc/tulle/shop.conf\n"
    "  tulle doctor --beacon=eth0 --mesh shop --json";

struct options {
    uint64_t node_count;
    int64_t timeout_ms;
    bool is_json, is_quiet;
};

// clang-format off
#define AT(field) offsetof(struct options, field)
#define HERE TULLE__OPTION_FLAG_ONLY
static const struct tulle__option own_options[] = {
    { .name = "nodes", .type = TULLE__OPTION_U64, .flags = HERE, .offset = AT(node_count), .arg = "N",
      .min = 1, .max = 1e6, .help = "the mesh is to have so many nodes: does this host allow it?" },
    { .name = "timeout", .letter = 't', .type = TULLE__OPTION_SECONDS, .flags = HERE, .offset = AT(timeout_ms),
      .arg = "SECONDS", .help = "try each way no longer" },
    { .name = "json", .letter = 'J', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_json), .help = "print one JSON object" },
    { .name = "quiet", .letter = 'q', .type = TULLE__OPTION_FLAG, .flags = HERE,
      .offset = AT(is_quiet), .help = "only warnings and problems" },
};
// clang-format on

static int
tell(const struct tulle__doctor *doctor, const struct options *options)
{
    const struct tulle__findings *findings = &doctor->findings;
    struct tulle__text text = { 0 };
    if (options->is_json)
        tulle__findings_put_json(findings, options->is_quiet, &text);
    else
        tulle__findings_put_text(findings, options->is_quiet, tulle__terminal_has_colour(), &text);
    bool is_whole = !text.has_failed && !findings->has_failed;
    errno = is_whole ? 0 : ENOMEM;
    bool is_told = fwrite(text.bytes == NULL ? "" : text.bytes, 1, text.len, stdout) == text.len &&
                   fflush(stdout) == 0 && is_whole;
    tulle__text_free(&text);
    if (!is_told) {
        (void)fprintf(stderr, "%s: %s\n", doctor->program->name, strerror(errno));
        return TULLE__EXIT_USAGE;
    }
    if (tulle__findings_count(findings, TULLE__FINDING_PROBLEM) > 0)
        return 2;
    return tulle__findings_count(findings, TULLE__FINDING_WARNING) > 0 ? 1 : 0;
}

static int
examine(struct tulle__doctor *doctor, const struct options *options)
{
    tulle__doctor_host(doctor);
    tulle__doctor_interfaces(doctor);
    tulle__doctor_beacon(doctor);
    tulle__doctor_places(doctor);
    if (!tulle__doctor_mesh(doctor)) {
        (void)fprintf(stderr, "%s: interrupted\n", doctor->program->name);
        return 2;
    }
    tulle__doctor_limits(doctor);
    return tell(doctor, options);
}

int
tulle__tool_doctor(int argc, char **argv)
{
    struct options options = { .timeout_ms = 5000 };
    struct tulle__common common;
    tulle__common_init(&common);
    const struct tulle__option_group groups[] = {
        { "Options", own_options, sizeof own_options / sizeof *own_options, &options },
        tulle__common_mesh_group(&common),
        tulle__common_log_group(&common),
        tulle__common_tuning_group(&common),
    };
    const struct tulle__program program = {
        .name = "tulle doctor",
        .synopsis = "[options]",
        .summary = "Find out why nodes do not see each other, and what helps.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .notes = notes,
        .operand_max = 0,
        .has_config = true,
        .skips_foreign = true, /* the file may be that of a node */
    };
    struct tulle__args args;
    int status = 0;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status == 0 ? 0 : 2;
    status = 2;
    if (tulle__common_finish(&program, &common, &status)) {
        struct tulle__doctor doctor = { .program = &program,
                                        .common = &common,
                                        .config = args.config,
                                        .node_count = options.node_count,
                                        .timeout_ms = options.timeout_ms };
        status = examine(&doctor, &options);
        tulle__findings_fini(&doctor.findings);
    }
    tulle__args_end(&args);
    return status == 0 || status == 1 ? status : 2;
}
