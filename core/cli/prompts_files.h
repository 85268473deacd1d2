/*
 * Prompts as files under a folder, prompts/support/reply.md.
 *
 *     if (!prompts_files_each(dir, each, arg)) ...          // a message was printed
 *     each(arg, path, &file)                                 // about, content as JSON
 */
#ifndef MOONGATE_CLI_PROMPTS_FILES_H
#define MOONGATE_CLI_PROMPTS_FILES_H

#include "lua/promptfile.h"

/* False: that is enough. */
typedef bool (*prompts_file_fn)(void *arg, const char *path, const struct promptfile *file);
/* All files that end in .md, by their names; a folder of them, or one. False: one is wrong, or none is there. */
bool prompts_files_each(const char *path, prompts_file_fn each, void *arg);
/* Writes one; makes folders on the way. False after a message. */
bool prompts_files_write(const char *path, struct slice text);

#endif
