/* zones/dns/soa.h - what is in a SOA record (RFC 1035 §3.3.13): two names, and numbers behind them.
 *
 * Threads: no state. */
#ifndef ZONES_DNS_SOA_H
#define ZONES_DNS_SOA_H

#include <assert.h>

#include "zones/base/wire.h"
#include "zones/dns/dname.h"

#define SOA_NUMBERS_LEN 20
#define SOA_RDATA_MAX	(2 * DNAME_MAX + SOA_NUMBERS_LEN)

struct soa_numbers {
	uint32_t serial;
	uint32_t refresh; /* seconds, as all that follow */
	uint32_t retry;
	uint32_t expire;
	uint32_t minimum; /* how long negative answers are good (RFC 2308 §4) */
};

/* The numbers of SOA rdata; zeros where it is too short to have any, as none is that passed rdata_check. */
static inline struct soa_numbers soa_numbers_of(const uint8_t *rdata, size_t len)
{
	if (len < SOA_NUMBERS_LEN) {
		return (struct soa_numbers){ 0 };
	}
	const uint8_t *p = rdata + len - SOA_NUMBERS_LEN;
	return (struct soa_numbers){ be32_get(p), be32_get(p + 4), be32_get(p + 8),
				     be32_get(p + 12), be32_get(p + 16) };
}

/* Sets the serial of SOA rdata that has the numbers. */
static inline void soa_serial_put(uint8_t *rdata, size_t len, uint32_t serial)
{
	assert(len >= SOA_NUMBERS_LEN);
	be32_put(rdata + len - SOA_NUMBERS_LEN, serial);
}

/* How the names are compressed in a negative answer, where the record stands right behind the question, whose name ends
 * in the zone's: it depends on nothing else, so it is found once for the zone and not for each answer. */
struct soa_names {
	uint8_t own[2]; /* octets of MNAME and RNAME that are written out */
	uint16_t pointer
		[2]; /* the pointer behind them when the zone's own name is asked for; 0: there is none */
};

/* Of SOA rdata that passed rdata_check, in the zone @apex. */
struct soa_names soa_names_of(const uint8_t *apex, const uint8_t *rdata);

/* Writes the rdata so, behind its length. @deeper: octets of the question's name before the zone's. */
void soa_names_put(const struct soa_names *names, const uint8_t *rdata, size_t len, size_t deeper,
		   struct writer *w);

#endif
