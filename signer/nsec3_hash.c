/* signer/nsec3_hash.c - hashed names. */
#include "signer/nsec3_hash.h"

#include <string.h>

#include "signer/sha1.h"
#include "zones/base/text.h"

void nsec3_hash(const struct nsec3_param *param, const uint8_t *name, uint8_t out[NSEC3_HASH_LEN])
{
	uint8_t data[SHA1_PADDED(DNAME_MAX + NSEC3_SALT_MAX)];
	size_t len = dname_lower(data, name);
	for (unsigned i = 0; i <= param->iterations; i++) {
		memcpy(data + len, param->salt, param->salt_len);
		sha1_in_place(data, len + param->salt_len, out);
		memcpy(data, out, NSEC3_HASH_LEN);
		len = NSEC3_HASH_LEN;
	}
}

void nsec3_label(const uint8_t hash[NSEC3_HASH_LEN], uint8_t out[1 + NSEC3_LABEL_LEN])
{
	out[0] = NSEC3_LABEL_LEN;
	text_to_base32hex(hash, NSEC3_HASH_LEN, (char *)out + 1);
}

int nsec3_owner(const uint8_t hash[NSEC3_HASH_LEN], const uint8_t *apex, struct dname *out)
{
	uint8_t label[1 + NSEC3_LABEL_LEN];
	nsec3_label(hash, label);
	return dname_prepend(out, label, apex);
}

int nsec3_owner_hash(const uint8_t *owner, uint8_t out[NSEC3_HASH_LEN])
{
	if (owner[0] != NSEC3_LABEL_LEN) {
		return E_SYNTAX;
	}
	int n = text_from_base32hex((const char *)owner + 1, owner[0], out, NSEC3_HASH_LEN);
	return n == NSEC3_HASH_LEN ? E_OK : E_SYNTAX;
}

int nsec3_read(const uint8_t *rdata, size_t len, struct nsec3 *out)
{
	struct reader r = reader_of(rdata, len);
	int err = nsec3_param_read(rdata, len, &out->param);
	if (err != E_OK) {
		return err;
	}
	(void)reader_bytes(&r, NSEC3_PARAM_FIXED + (size_t)out->param.salt_len);
	uint8_t next_len = reader_u8(&r);
	out->next = reader_bytes(&r, next_len);
	out->map_len = reader_left(&r);
	out->map = reader_bytes(&r, out->map_len);
	if (r.err == E_OK && next_len != NSEC3_HASH_LEN) {
		return E_UNSUPPORTED;
	}
	return r.err;
}

int nsec3_of_node(const struct node *n, struct nsec3 *out)
{
	const struct rrset *rs = n != NULL ? node_find(n, RRTYPE_NSEC3) : NULL;
	struct rr rr;
	if (rs == NULL) {
		return 0;
	}
	(void)rr_read(rrset_data(rs), &rr);
	int err = nsec3_read(rr.rdata, rr.rdlen, out);
	return err != E_OK ? err : rs->count;
}
