/* SPDX-License-Identifier: MPL-2.0 */

/* tulle-proxy: joins segments of a mesh. */

#include "app/exit.h"
#include "serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Say what does not fit together, and return the exit status. */
static int
refuse(const struct tulle__setup *setup, const struct tulle__text *problems)
{
    tulle__args_tell(&setup->program, problems);
    if (setup->args.config != NULL)
        return TULLE__EXIT_CONFIG;
    (void)fprintf(stderr, "try '%s --help'\n", setup->program.name);
    return TULLE__EXIT_USAGE;
}

static int
start(struct tulle__run *run)
{
    struct tulle__setup *setup = run->setup;
    struct tulle__text problems = { 0 };
    int status = TULLE__EXIT_OK;
    if (!tulle__proxy_config_finish(&setup->config, &setup->common, setup->args.config, &problems))
        status = refuse(setup, &problems);
    tulle__text_free(&problems);
    if (status != TULLE__EXIT_OK)
        return status;
    tulle_error error = { 0 };
    tulle_status made = TULLE_EOS;
    if (tulle__signals_open(&run->signals))
        made = tulle_proxy_new(&setup->config.proxy, &run->proxy, &error);
    else
        (void)snprintf(error.text, sizeof error.text, "signals: %s", strerror(errno));
    if (made == TULLE_OK && setup->config.is_check) {
        (void)puts("ok: the configuration is right");
    } else if (made == TULLE_OK) {
        made = tulle_proxy_start(run->proxy, &error);
        if (made == TULLE_OK)
            tulle__serve(run);
    }
    if (made != TULLE_OK) {
        (void)fprintf(stderr, "%s: %s%s%s\n", setup->program.name,
                      setup->args.config != NULL ? setup->args.config : "",
                      setup->args.config != NULL ? ": " : "",
                      error.text[0] != '\0' ? error.text : tulle_strerror(made));
    }
    tulle_proxy_free(&run->proxy);
    tulle__signals_close(&run->signals);
    return (int)tulle__exit_of(made);
}

int
main(int argc, char **argv)
{
    static struct tulle__setup setup; /* static for its size alone */
    struct tulle__run run = {
        .setup = &setup, .signals = { .fd = -1 }, .argc = argc, .argv = argv
    };
    int status = TULLE__EXIT_OK;
    tulle__setup_init(&setup);
    if (!tulle__args_begin(&setup.program, argc, argv, &setup.args, &status))
        return status;
    status = start(&run);
    tulle__args_end(&setup.args);
    return status;
}
