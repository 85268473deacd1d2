/*
 * Doubly linked list whose links live in the members. A link that is in no list points at itself,
 * so list_remove() may be called twice.
 *
 *     struct list_link head;  list_init(&head);
 *     list_append(&head, &conn->link);
 *     struct conn *first = LIST_OWNER(head.next, struct conn, link);
 */
#ifndef MOONGATE_BASE_LIST_H
#define MOONGATE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_link {
    struct list_link *prev, *next;
};

#define LIST_OWNER(link_ptr, type, member) ((type *)((char *)(link_ptr)-offsetof(type, member)))

static inline void list_init(struct list_link *link)
{
    link->prev = link->next = link;
}

static inline bool list_is_empty(const struct list_link *head)
{
    return head->next == head;
}

static inline void list_append(struct list_link *head, struct list_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_prepend(struct list_link *head, struct list_link *link)
{
    list_append(head->next, link);
}

static inline void list_remove(struct list_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

#endif
