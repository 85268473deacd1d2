/*
 * A policy folder, or one file, as it stood at a revision of its git repository: for `moongate diff --git REV`.
 *
 *     struct bundle *old = git_bundle("policies", "HEAD~3", &why); // NULL: no git, no such revision, no policies
 *     if (!git_file("moongate.lua", "HEAD~3", &text, &why)) ...      // nor if there was no such file
 *
 * Runs the program git, without a shell; nothing of the repository is changed.
 */
#ifndef MOONGATE_CLI_GIT_H
#define MOONGATE_CLI_GIT_H

#include "base/buf.h"
#include "base/fault.h"
#include "lua/bundle.h"

struct bundle *git_bundle(const char *dir, const char *rev, struct fault *why);
/* Appends its text. */
bool git_file(const char *path, const char *rev, struct buf *out, struct fault *why);

#endif
