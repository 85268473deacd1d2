/* What net/listener.h does not say of an address: is it loopback, and the same one with another port. */
#ifndef MOONGATE_SERVER_ADDRESS_H
#define MOONGATE_SERVER_ADDRESS_H

#include <stdbool.h>

#include "net/listener.h"

bool address_is_loopback(const struct listener_address *a);
void address_set_port(struct listener_address *a, int port);

#endif
