#include "cli/prompts_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/input.h"
#include "cli/cli.h"

#define DEPTH_MAX 8
#define PATH_BYTES 1024

static bool read_all(const char *path, struct buf *text, struct fault *why)
{
    struct input in;
    bool is_good = input_open(&in, path, why) && input_all(&in, PROMPTFILE_BYTES_MAX, text, why);
    input_close(&in);
    return is_good;
}

/* json "x.json": beside the file that names it, and nowhere else. */
static bool open_beside(void *arg, struct slice name, struct buf *out, char *text, size_t size)
{
    char path[PATH_BYTES];
    const char *own = arg, *slash = strrchr(own, '/');
    struct fault why;
    bool is_beside = name.len > 0 && !memchr(name.ptr, '/', name.len) && name.ptr[0] != '.';
    snprintf(text, size, "a file beside the prompt's own is named, without a folder");
    if (!is_beside) return false;
    snprintf(path, sizeof path, "%.*s%.*s", slash ? (int)(slash - own + 1) : 0, own, SLICE_FMT(name));
    if (read_all(path, out, &why)) return true;
    snprintf(text, size, "%s", fault_message(&why));
    return false;
}

static bool read_one(const char *path, prompts_file_fn each, void *arg)
{
    struct promptfile file;
    struct promptfile_error wrong = {0};
    struct fault why;
    struct buf text;
    char own[PATH_BYTES];
    snprintf(own, sizeof own, "%s", path);
    buf_init(&text);
    promptfile_init(&file);
    bool is_good = false;
    if (!read_all(path, &text, &why))
        cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    else if (promptfile_read(&file, buf_slice(&text), open_beside, own, &wrong))
        is_good = each(arg, path, &file);
    else if (wrong.line)
        cli_error(CLI_USAGE, NULL, "%s:%u:%u: %s", path, wrong.line, wrong.column ? wrong.column : 1, wrong.text);
    else
        cli_error(CLI_USAGE, NULL, "%s: %s", path, wrong.text);
    promptfile_clear(&file);
    buf_clear(&text);
    return is_good;
}

static bool is_wanted(const char *name)
{
    size_t len = strlen(name);
    return name[0] != '.' && len > 3 && strcmp(name + len - 3, ".md") == 0 && strcmp(name, "README.md") != 0;
}

static bool read_folder(const char *path, unsigned depth, prompts_file_fn each, void *arg, size_t *count)
{
    struct dirent **names;
    bool is_good = true;
    int total = scandir(path, &names, NULL, alphasort);
    if (total < 0) return cli_error(CLI_USAGE, NULL, "%s: %s", path, strerror(errno)) == CLI_OK;
    for (int i = 0; i < total; i++) {
        char inner[PATH_BYTES];
        struct stat what;
        snprintf(inner, sizeof inner, "%.700s/%.255s", path, names[i]->d_name);
        bool is_there = is_good && names[i]->d_name[0] != '.' && stat(inner, &what) == 0;
        if (is_there && S_ISDIR(what.st_mode) && depth < DEPTH_MAX)
            is_good = read_folder(inner, depth + 1, each, arg, count);
        if (is_there && S_ISREG(what.st_mode) && is_wanted(names[i]->d_name)) {
            ++*count;
            is_good = read_one(inner, each, arg);
        }
        free(names[i]);
    }
    free(names);
    return is_good;
}

bool prompts_files_each(const char *path, prompts_file_fn each, void *arg)
{
    struct stat what;
    size_t count = 0;
    if (stat(path, &what) != 0) return cli_error(CLI_USAGE, NULL, "%s: %s", path, strerror(errno)) == CLI_OK;
    if (!S_ISDIR(what.st_mode)) return read_one(path, each, arg);
    if (!read_folder(path, 0, each, arg, &count)) return false;
    if (!count) cli_error(CLI_USAGE, "a prompt is a file that ends in .md", "%s: there is none", path);
    return count > 0;
}

static void make_folders(const char *path)
{
    char text[PATH_BYTES];
    snprintf(text, sizeof text, "%s", path);
    for (char *at = strchr(text + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(text, 0777);
        *at = '/';
    }
}

bool prompts_files_write(const char *path, struct slice text)
{
    make_folders(path);
    FILE *file = fopen(path, "we");
    bool is_good = file && fwrite(text.ptr, 1, text.len, file) == text.len;
    if (file && fclose(file) != 0) is_good = false;
    if (!is_good) cli_error(CLI_USAGE, NULL, "%s: %s", path, strerror(errno));
    return is_good;
}
