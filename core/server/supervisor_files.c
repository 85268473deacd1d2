#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/address.h"
#include "server/supervisor_inner.h"

static char *data_path(const struct supervisor *sup, const char *name)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/%s", sup->data_dir, name);
    char *text = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    return text;
}

static bool make_dir(struct supervisor *sup)
{
    struct stat st;
    if (mkdir(sup->data_dir, 0700) != 0 && errno != EEXIST) {
        supervisor_fail(sup, FINDING_NO_FILE, "cannot make the data folder %s: %s", sup->data_dir, strerror(errno));
        return false;
    }
    if (stat(sup->data_dir, &st) != 0 || !S_ISDIR(st.st_mode) || access(sup->data_dir, W_OK | X_OK) != 0) {
        supervisor_fail(sup, FINDING_NO_FILE, "the data folder %s is not one that this user may write to",
                        sup->data_dir);
        return false;
    }
    if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
        supervisor_fail(sup, FINDING_NO_FILE,
                        "others may write to the data folder %s (mode %04o): chmod go-w it, and have this user own it",
                        sup->data_dir, (unsigned)st.st_mode & 07777);
        return false;
    }
    return true;
}

/* Who holds the lock, from its file; 0 when that cannot be read. */
static long read_holder(int fd)
{
    char text[32] = {0};
    return pread(fd, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static bool lock_dir(struct supervisor *sup)
{
    char *path = data_path(sup, "lock");
    sup->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool is_locked = sup->lock_fd >= 0 && flock(sup->lock_fd, LOCK_EX | LOCK_NB) == 0;
    if (!is_locked && sup->lock_fd >= 0 && errno == EWOULDBLOCK) {
        supervisor_fail(sup, FINDING_OTHER_ERROR,
                        "another moongate (process %ld) runs with the data folder %s; stop it, or set `data`",
                        read_holder(sup->lock_fd), sup->data_dir);
    } else if (!is_locked) {
        supervisor_fail(sup, FINDING_NO_FILE, "cannot lock %s: %s", path, strerror(errno));
    } else if (ftruncate(sup->lock_fd, 0) == 0) {
        dprintf(sup->lock_fd, "%ld\n", (long)getpid());
    }
    mem_free(path);
    return is_locked;
}

/* Probed without SO_REUSEPORT: with it a second instance would get half of the first one's clients. */
static bool probe(struct supervisor *sup, const char *what, struct slice text, struct listener_address *address)
{
    struct fault why;
    if (listener_parse(text.ptr, address, &why) && listener_probe(address, &why)) return true;
    supervisor_fail(sup, FINDING_OTHER_ERROR, "%s: %s", what, fault_message(&why));
    return false;
}

static int open_socket(struct supervisor *sup, struct listener_address *address)
{
    struct fault why;
    int fd = listener_open(address, &why);
    if (fd < 0) {
        supervisor_fail(sup, FINDING_OTHER_ERROR, "%s", fault_message(&why));
    } else {
        address_set_port(address, listener_port(fd)); /* port 0 became one; the other sockets share it */
    }
    return fd;
}

static bool open_sockets(struct supervisor *sup)
{
    if (!probe(sup, "listen", sup->config->listen, &sup->listen) ||
        !probe(sup, "admin.listen", sup->config->admin_listen, &sup->admin_listen)) {
        return false;
    }
    for (unsigned i = 0; i < sup->worker_count; i++) {
        sup->children[i].listen_fd = open_socket(sup, &sup->listen);
        if (sup->children[i].listen_fd < 0) return false;
    }
    struct child *admin = children_find(sup, "admin");
    admin->listen_fd = open_socket(sup, &sup->admin_listen);
    if (admin->listen_fd < 0) return false;
    listener_format((const struct sockaddr *)&sup->listen.where, sup->listen_text);
    listener_format((const struct sockaddr *)&sup->admin_listen.where, sup->admin_text);
    return true;
}

bool files_claim(struct supervisor *sup)
{
    struct slice dir = sup->config->settings->data_dir;
    sup->data_dir = mem_strndup(dir.ptr, dir.len);
    return make_dir(sup) && lock_dir(sup) && open_sockets(sup);
}

static json_t *listen_json(struct supervisor *sup)
{
    json_t *all = json_object(), *workers = json_array();
    for (unsigned i = 0; i < sup->worker_count; i++) {
        if (sup->children[i].pid) json_array_append_new(workers, json_integer(sup->children[i].pid));
    }
    json_object_set_new(all, "version", json_string(sup->parts.version));
    json_object_set_new(all, "listen", json_string(sup->listen_text));
    json_object_set_new(all, "admin", json_string(sup->admin_text));
    json_object_set_new(all, "supervisor", json_integer(getpid()));
    json_object_set_new(all, "workers", workers);
    json_object_set_new(all, "admin_pid", json_integer(children_find(sup, "admin")->pid));
    json_object_set_new(all, "ledger_pid", json_integer(children_find(sup, "ledger")->pid));
    json_object_set_new(all, "generation", json_integer((json_int_t)sup->current.number));
    json_object_set_new(all, "policies", json_string(sup->current.digest));
    json_object_set_new(all, "config", json_string(sup->current.config_digest));
    return all;
}

/* Beside the file, then renamed over it: a reader never sees half. */
void files_write_listen(struct supervisor *sup)
{
    char *path = data_path(sup, "listen.json"), *beside = data_path(sup, "listen.json.new");
    json_t *all = listen_json(sup);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_good = fd >= 0 && json_dumpfd(all, fd, JSON_INDENT(1)) == 0;
    if (fd >= 0) close(fd);
    if (!is_good || rename(beside, path) != 0) log_event(LOG_WARN, "listen_json", "%s: %s", path, strerror(errno));
    json_decref(all);
    mem_free(beside);
    mem_free(path);
}

void files_clear(struct supervisor *sup)
{
    if (sup->has_started) {
        char *path = data_path(sup, "listen.json");
        unlink(path);
        mem_free(path);
    }
    if (sup->lock_fd >= 0) close(sup->lock_fd); /* the file stays: removing it would race with the next instance */
    sup->lock_fd = -1;
    mem_free(sup->data_dir);
}
