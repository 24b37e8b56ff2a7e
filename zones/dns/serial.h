/* zones/dns/serial.h - serial number arithmetic (RFC 1982), 32 bits. */
#ifndef ZONES_DNS_SERIAL_H
#define ZONES_DNS_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

/* Is @a newer than @b? False for equal numbers and for the undefined distance of 2^31. */
static inline bool serial_is_newer(uint32_t a, uint32_t b)
{
	return a != b && a - b < 0x80000000U;
}

#endif
