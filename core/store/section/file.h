/*
 * Sections in one file, for a start at which nothing else can be read: all of one writing, or none.
 *
 *     bool is_good = section_file_write("data/registry.snap", fds, count, &why);
 *     if (!section_file_read("data/registry.snap", on_section, self, &why)) …
 *
 * Written beside it, synced, renamed, and the folder synced: who is killed meanwhile leaves the old one, whole. 0600,
 * since it says who has which key, though no key. Layout: "MGSNAP1\n", their number, 0; each section, padded to a
 * multiple of 8; a hash (XXH3) of all before.
 */
#ifndef MOONGATE_STORE_SECTION_FILE_H
#define MOONGATE_STORE_SECTION_FILE_H

#include "store/section/section.h"

#define SECTION_FILE "registry.snap"

/* fds: memory files of sections, each read from its beginning. False and *why; the old file stays. */
bool section_file_write(const char *path, const int *fds, unsigned count, struct fault *why);
/* Each section, with its head checked and no more, is borrowed until `each` returns; false from it ends the reading,
 * and *why is then as `each` left it. False and *why: there is no file, or it is damaged; none was handed out. */
bool section_file_read(const char *path,
                       bool (*each)(void *arg, const struct section_about *about, struct slice section), void *arg,
                       struct fault *why);

#endif
