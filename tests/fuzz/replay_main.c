/* SPDX-License-Identifier: MPL-2.0 */
/* Runs a fuzz target over files, without libFuzzer: so every corpus is a
 * regression test with any compiler and under every sanitizer.
 *
 * Arguments are files, or folders whose files are run in the order of their
 * names. Each input is copied to a block of exactly its size, so that the
 * address sanitizer sees a read one byte past its end. A run that finds no
 * input fails: a corpus that moved away must not look like success.
 */

#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_BYTES_MAX = 16 * 1024 * 1024, PATH_BYTES_MAX = 4096 };

/* Read the whole of a file into a new block; the caller frees it. */
static uint8_t *
read_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    /* Size zero still gets a block, of no usable byte. */
    uint8_t *bytes = malloc(size == 0 ? 1 : size);
    if (bytes != NULL && size > 0 && fread(bytes, 1, size, file) != size) {
        free(bytes);
        bytes = NULL;
    }
    (void)fclose(file);
    return bytes;
}

static bool
run_file(const char *path, size_t size)
{
    if (size > INPUT_BYTES_MAX) {
        fprintf(stderr, "%s: larger than %d bytes\n", path, (int)INPUT_BYTES_MAX);
        return false;
    }
    uint8_t *bytes = read_file(path, size);
    if (bytes == NULL) {
        fprintf(stderr, "%s: cannot be read: %s\n", path, strerror(errno));
        return false;
    }
    /* Said before, so that a crash names its input. */
    printf("%s (%zu bytes)\n", path, size);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return true;
}

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Run a file, or every file of a folder (not of its subfolders); count them. */
static bool
run_path(const char *path, bool is_nested, size_t *count)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    if (S_ISREG(info.st_mode)) {
        *count += 1;
        return run_file(path, (size_t)info.st_size);
    }
    if (!S_ISDIR(info.st_mode) || is_nested)
        return true;

    struct dirent **entries = NULL;
    int entry_count = scandir(path, &entries, is_visible, alphasort);
    if (entry_count < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    bool is_ok = true;
    for (int i = 0; i < entry_count; i++) {
        char name[PATH_BYTES_MAX];
        int len = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (len < 0 || (size_t)len >= sizeof name || !run_path(name, true, count))
            is_ok = false;
        free(entries[i]);
    }
    free(entries);
    return is_ok;
}

int
main(int argc, char **argv)
{
    size_t count = 0;
    bool is_ok = true;
    for (int i = 1; i < argc; i++)
        is_ok = run_path(argv[i], false, &count) && is_ok;

    printf("%zu inputs\n", count);
    if (count == 0)
        fprintf(stderr, "no input to run: give files or folders\n");
    return is_ok && count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
