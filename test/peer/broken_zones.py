"""Kinds of good and broken zone: each function changes a good signed zone in one place.

A row says whether the zone is good or bad, what signet-verifyzone finds in it, and, where one of
ldns-verify-zone (ldns), dnssec-verify (bind) and kzonecheck (knot) comes to another verdict, which of
them and why we are right. "bind<9.18.49-1~deb12u2": only the versions before that one differ.
"""

EXAMPLE = """\
example. 3600 IN SOA ns.example. host.example. 2020 7200 3600 1209600 1800
example. 3600 IN NS ns.example.
example. 3600 IN MX 10 mail.example.
ns.example. 3600 IN A 192.0.2.1
mail.example. 3600 IN A 192.0.2.2
mail.example. 3600 IN AAAA 2001:db8::2
www.example. 3600 IN A 192.0.2.3
www.example. 3600 IN A 192.0.2.4
alias.example. 3600 IN CNAME www.example.
*.wild.example. 3600 IN TXT "any"
leaf.ent.deep.example. 3600 IN A 192.0.2.5
secure.example. 3600 IN NS ns.secure.example.
secure.example. 3600 IN DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ns.secure.example. 3600 IN A 192.0.2.6
insecure.example. 3600 IN NS ns.insecure.example.
ns.insecure.example. 3600 IN A 192.0.2.7
sub.only.example. 3600 IN NS ns.example.
dname.example. 3600 IN DNAME www.example.
"""

ROWS = []


def zone(chain, verdict, finds, differ='', why=''):
    assert bool(differ) == bool(why)

    def add(change):
        ROWS.append({'chain': chain, 'good': verdict == 'good', 'finds': finds,
                     'differ': differ.split(), 'why': why, 'change': change})
        return change
    return add


@zone('nsec', 'good', None)
def nsec_good(z):
    pass


@zone('nsec3', 'good', None)
def nsec3_good(z):
    pass


@zone('optout', 'good', None)
def optout_good(z):
    pass


@zone('zonemd', 'good', None)
def zonemd_good(z):
    pass


@zone('salted', 'good', 'nsec3-iterations')
def one_iteration(z):
    pass


@zone('iterated', 'good', 'nsec3-iterations')
def many_iterations(z):
    """Validators may take it for unsigned (RFC 9276), but whoever does not finds all in order."""


@zone('nsec3', 'good', 'nsec3-iterations', differ='ldns knot',
      why='they know one chain, a zone may have several (RFC 5155 §4)')
def two_chains(z):
    z.put_chain(z.bases['salted'])


@zone('nsec3', 'bad', 'nsec3-missing')
def two_chains_one_incomplete(z):
    z.put_chain(z.bases['salted'])
    z.drop(z.bases['salted'].nsec3('mail.example.'), 'NSEC3')


@zone('nsec', 'good', None)
def nsec_and_nsec3(z):
    """As while a zone changes from one to the other (RFC 5155 §10.4)."""
    z.put_chain(z.bases['nsec3'])
    z.set_nsec('example.', plus=['NSEC3PARAM'])
    for r in z.records:
        if r.type == 'NSEC':
            insecure = r.owner in ('insecure.example.', 'sub.only.example.')
            z.set_nsec(z.nsec3(r.owner), plus=['NSEC'] + (['RRSIG'] if insecure else []))


@zone('nsec', 'good', None, differ='bind knot',
      why='they want the NSEC records in the bitmaps of the NSEC3 records, which then must be made '
          'anew when the others go; no validator looks for them')
def nsec_and_nsec3_apart(z):
    z.put_chain(z.bases['nsec3'])
    z.set_nsec('example.', plus=['NSEC3PARAM'])


# --- signatures ---


@zone('nsec', 'bad', 'unsigned')
def unsigned_set(z):
    z.drop_sigs('www.example.', 'A')


@zone('nsec', 'bad', 'expired')
def expired(z):
    z.resign('www.example.', 'A', inception=z.now - 7200, expiration=z.now - 3600)


@zone('nsec', 'bad', 'not-yet-valid')
def not_yet(z):
    z.resign('www.example.', 'A', inception=z.now + 3600, expiration=z.now + 7200)


@zone('nsec', 'bad', 'expired')
def inception_after_expiration(z):
    z.resign('www.example.', 'A', inception=z.now + 7200, expiration=z.now - 7200)


@zone('nsec', 'bad', 'bad-signature')
def bad_signature(z):
    z.sig('www.example.', 'A').rdata = z.spoilt('www.example.', 'A')


@zone('nsec', 'good', 'bad-signature', differ='knot',
      why='one good signature is enough, others are passed over (RFC 4035 §5.3.3)')
def extra_bad_signature(z):
    z.add('www.example.', 3600, 'RRSIG', z.spoilt('www.example.', 'A'))


@zone('nsec', 'good', 'expired', differ='knot',
      why='one good signature is enough, others are passed over (RFC 4035 §5.3.3)')
def extra_expired(z):
    z.sign('www.example.', 'A', inception=z.now - 7200, expiration=z.now - 3600)


@zone('nsec', 'good', 'unknown-key')
def extra_unknown_key(z):
    z.sign('www.example.', 'A', key=z.other)


@zone('nsec', 'bad', 'unknown-key')
def only_unknown_key(z):
    z.resign('www.example.', 'A', key=z.other)


@zone('nsec', 'good', 'unknown-key')
def extra_unknown_algorithm_sig(z):
    z.sign('www.example.', 'A', key=z.ed)


@zone('nsec', 'good', None, differ='knot',
      why='any zone key may sign, the SEP flag is a hint (RFC 4034 §2.1.1)')
def signed_by_ksk(z):
    z.resign('www.example.', 'A', key=z.ksk)


@zone('nsec', 'bad', 'signer', differ='ldns knot',
      why="the signer's name must be the zone's (RFC 4035 §2.2, §5.3.1)")
def wrong_signer(z):
    z.resign('www.example.', 'A', signer='www.example.')


@zone('nsec', 'bad', 'signer', differ='ldns knot',
      why="the signer's name must be the zone's (RFC 4035 §2.2, §5.3.1)")
def wrong_signer_above(z):
    z.resign('www.example.', 'A', signer='.')


@zone('nsec', 'good', 'signer')
def extra_wrong_signer(z):
    z.sign('www.example.', 'A', signer='www.example.')


@zone('nsec', 'bad', 'labels', differ='ldns bind',
      why='validators take it for expanded from a wildcard that is not there (RFC 4035 '
          '§5.3.4)')
def wrong_labels_less(z):
    z.resign('www.example.', 'A', labels=1)


@zone('nsec', 'bad', 'labels', differ='ldns knot bind<9.18.49-1~deb12u2',
      why='more labels than the owner has are invalid (RFC 4035 §5.3.1); BIND looks since CVE-2026-11721')
def wrong_labels_more(z):
    z.resign('www.example.', 'A', labels=3)


@zone('nsec', 'bad', 'labels', differ='ldns bind knot',
      why='the asterisk does not count (RFC 4034 §3.1.3)')
def wrong_labels_wildcard(z):
    z.resign('*.wild.example.', 'TXT', labels=3)


@zone('nsec', 'bad', 'original-ttl', differ='ldns',
      why="the original TTL is the set's (RFC 4035 §2.2)")
def wrong_original_ttl_less(z):
    z.resign('www.example.', 'A', original_ttl=1800)


@zone('nsec', 'bad', 'original-ttl', differ='ldns',
      why="the original TTL is the set's (RFC 4035 §2.2)")
def wrong_original_ttl_more(z):
    z.resign('www.example.', 'A', original_ttl=7200)


@zone('nsec', 'good', 'signature-ttl')
def rrsig_ttl_differs(z):
    z.resign('www.example.', 'A', ttl=600)


@zone('nsec', 'bad', 'original-ttl', differ='ldns bind',
      why='they read the set with one TTL for all, that of the first record; a set is '
          'served with the least (RFC 2181 §5.2)')
def set_ttls_differ(z):
    z.find('www.example.', 'A')[1].ttl = 1800


@zone('nsec', 'bad', 'unknown-key')
def wrong_tag(z):
    z.resign('www.example.', 'A', tag=(z.zsk.tag + 1) & 0xffff)


@zone('nsec', 'bad', 'algorithm')
def wrong_algorithm(z):
    z.resign('www.example.', 'A', algorithm=15)


@zone('nsec', 'bad', 'signed-glue', differ='bind',
      why='glue MUST NOT be signed (RFC 4035 §2.2)')
def signed_glue(z):
    z.sign('ns.secure.example.', 'A')


@zone('nsec', 'bad', 'signed-delegation', differ='ldns bind',
      why='NS records of a delegation MUST NOT be signed (RFC 4035 §2.2)')
def signed_cut_ns(z):
    z.sign('secure.example.', 'NS')


@zone('nsec', 'bad', 'signed-delegation', differ='ldns bind',
      why='NS records of a delegation MUST NOT be signed (RFC 4035 §2.2)')
def signed_insecure_ns(z):
    z.sign('insecure.example.', 'NS')


@zone('nsec', 'bad', 'unsigned')
def unsigned_ds(z):
    z.drop_sigs('secure.example.', 'DS')


@zone('nsec', 'bad', 'ds-without-ns', differ='ldns bind knot',
      why='DS records stand at delegations alone (RFC 4034 §5)')
def ds_without_ns(z):
    z.add('www.example.', 3600, 'DS', z.one('secure.example.', 'DS').rdata)
    z.sign('www.example.', 'DS')
    z.set_nsec('www.example.', types=['A', 'DS', 'RRSIG', 'NSEC'])


@zone('nsec', 'bad', 'ds-at-apex', differ='ldns knot',
      why='DS MUST NOT appear at the apex (RFC 4035 §2.4)')
def ds_at_apex(z):
    z.add('example.', 3600, 'DS', z.one('secure.example.', 'DS').rdata)
    z.sign('example.', 'DS')
    z.set_nsec('example.', types=['NS', 'SOA', 'MX', 'DS', 'RRSIG', 'NSEC', 'DNSKEY'])


@zone('nsec', 'bad', 'stray-signature', differ='ldns bind knot',
      why='a signature belongs to a set of its name (RFC 4035 §2.2)')
def stray_rrsig_type(z):
    z.add('www.example.', 3600, 'RRSIG', z.sig('mail.example.', 'AAAA').rdata)


@zone('nsec', 'bad', 'stray-signature')
def stray_rrsig_name(z):
    z.add('nothing.example.', 3600, 'RRSIG', z.sig('mail.example.', 'AAAA').rdata)


@zone('nsec', 'bad', 'stray-signature', differ='bind knot',
      why='a signature belongs to a set of its name (RFC 4035 §2.2)')
def stray_rrsig_glue_name(z):
    z.add('ns.secure.example.', 3600, 'RRSIG', z.sig('mail.example.', 'AAAA').rdata)


@zone('nsec', 'bad', 'bad-signature')
def record_added(z):
    z.add('www.example.', 3600, 'A', '192.0.2.99')


@zone('nsec', 'bad', 'bad-signature')
def record_removed(z):
    z.records.remove(z.find('www.example.', 'A')[0])


@zone('nsec', 'bad', 'nsec-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def set_removed(z):
    z.drop('mail.example.', 'AAAA')


@zone('nsec', 'bad', 'unsigned')
def set_added_unsigned(z):
    z.add('mail.example.', 3600, 'TXT', '"new"')


@zone('nsec', 'bad', 'unsigned')
def name_added_unsigned(z):
    z.add('new.example.', 3600, 'TXT', '"new"')


@zone('nsec', 'bad', 'nsec-missing')
def name_added_signed(z):
    z.add('new.example.', 3600, 'TXT', '"new"')
    z.sign('new.example.', 'TXT')


@zone('nsec', 'bad', 'nsec-next')
def name_removed(z):
    z.drop('ns.example.', 'A')
    z.drop('ns.example.', 'NSEC')


# --- keys ---


@zone('nsec', 'bad', 'key-set')
def no_ksk_signature(z):
    z.drop_sigs('example.', 'DNSKEY')


@zone('nsec', 'bad', 'key-set', differ='ldns',
      why='the DS at the parent names a key with the SEP flag, by which nobody comes to '
          'the set (RFC 4035 §5.2)')
def dnskey_signed_by_zsk_only(z):
    z.resign('example.', 'DNSKEY', key=z.zsk)


@zone('nsec', 'bad', 'algorithm', differ='ldns knot',
      why='each algorithm in the DNSKEY set MUST sign the whole zone (RFC 4035 §2.2, RFC '
          '6840 §5.11)')
def algorithm_without_sigs(z):
    z.add_key(z.ed)
    z.sign('example.', 'DNSKEY', key=z.ed)


@zone('nsec', 'bad', 'key-set', differ='ldns bind knot',
      why='each algorithm in the DNSKEY set MUST sign the whole zone (RFC 4035 §2.2, RFC '
          '6840 §5.11)')
def algorithm_without_dnskey_sig(z):
    z.add_key(z.ed)
    z.sign_all(z.ed)


@zone('nsec', 'bad', 'algorithm', differ='ldns knot',
      why='each algorithm in the DNSKEY set MUST sign the whole zone (RFC 4035 §2.2, RFC '
          '6840 §5.11)')
def one_set_lacks_an_algorithm(z):
    two_algorithms_good(z)
    z.resign('www.example.', 'A')


@zone('nsec', 'good', None, differ='bind',
      why='dnssec-verify wants a ZSK and a KSK of each algorithm unless told -z; one key '
          'may do both')
def two_algorithms_good(z):
    z.add_key(z.ed)
    z.sign('example.', 'DNSKEY', key=z.ed)
    z.sign_all(z.ed)


@zone('nsec', 'good', 'revoked-key', differ='bind',
      why='the revocation is without effect, but the zone validates (RFC 5011 §2.1)')
def revoked_not_self_signed(z):
    z.add_key(z.otherksk.with_head(0x181))


@zone('nsec', 'good', None)
def revoked_good(z):
    z.add_key(z.otherksk.with_head(0x181))
    z.sign('example.', 'DNSKEY', key=z.otherksk.with_head(0x181))


@zone('nsec', 'bad', 'key-set', differ='ldns',
      why='a revoked key leads nobody into the zone (RFC 5011 §2.1)')
def only_ksk_revoked(z):
    revoked = z.ksk.with_head(0x181)
    z.key_record(z.ksk).rdata = revoked.rdata
    z.resign('example.', 'DNSKEY', key=revoked)
    z.sign('example.', 'DNSKEY', key=z.zsk)


@zone('nsec', 'bad', 'revoked-signer', differ='ldns bind knot',
      why='a revoked key MUST NOT be used but to prove its revocation (RFC 5011 §2.1)')
def signed_by_revoked_key(z):
    revoked_good(z)
    z.resign('www.example.', 'A', key=z.otherksk.with_head(0x181))


@zone('nsec', 'bad', 'unknown-key', differ='ldns bind',
      why='such a key MUST NOT verify RRSIGs (RFC 4034 §2.1.1)')
def key_without_zone_flag(z):
    z.replace_zsk(z.zsk.with_head(0))


@zone('nsec', 'bad', 'invalid-key', differ='ldns bind',
      why='such a key MUST be treated as invalid (RFC 4034 §2.1.2)')
def key_protocol_not_3(z):
    z.replace_zsk(z.zsk.with_head(256, 2))


@zone('nsec', 'bad', 'algorithm', differ='ldns bind',
      why='each algorithm in the DNSKEY set MUST sign the whole zone (RFC 4035 §2.2, RFC '
          '6840 §5.11)')
def unsupported_algorithm_key(z):
    z.add('example.', 3600, 'DNSKEY', '256 3 200 AwEAAcFcGsaxxdg=')
    z.resign('example.', 'DNSKEY')


@zone('nsec', 'bad', 'algorithm', differ='ldns bind knot',
      why='each algorithm in the DNSKEY set MUST sign the whole zone (RFC 4035 §2.2, RFC '
          '6840 §5.11)')
def standby_algorithm_key(z):
    z.add_key(z.ed)


@zone('nsec', 'bad', 'no-dnskey')
def no_dnskey(z):
    z.drop('example.', 'DNSKEY')
    z.set_nsec('example.', minus=['DNSKEY'])


# --- NSEC ---


@zone('nsec', 'bad', 'nsec-missing')
def nsec_missing(z):
    z.cut_nsec('mail.example.')


@zone('nsec', 'bad', 'nsec-missing')
def nsec_missing_not_closed(z):
    z.drop('mail.example.', 'NSEC')


@zone('nsec', 'bad', 'nsec-stray', differ='ldns bind knot',
      why='an NSEC record MUST NOT be the only set at a name (RFC 4035 §2.3)')
def nsec_extra(z):
    after = z.one('mail.example.', 'NSEC').rdata.split()[0]
    z.set_nsec('mail.example.', next_name='nothing.example.')
    z.add_nsec('nothing.example.', after, 'RRSIG NSEC')


@zone('nsec', 'bad', 'nsec-stray', differ='ldns bind knot',
      why='an NSEC record MUST NOT be the only set at a name (RFC 4035 §2.3)')
def nsec_at_ent(z):
    z.set_nsec('alias.example.', next_name='ent.deep.example.')
    z.add_nsec('ent.deep.example.', 'leaf.ent.deep.example.', 'RRSIG NSEC')


@zone('nsec', 'bad', 'nsec-next')
def nsec_wrong_next(z):
    z.set_nsec('mail.example.', next_name='nr.example.')


@zone('nsec', 'bad', 'nsec-next')
def nsec_next_skips(z):
    z.set_nsec('mail.example.', next_name='secure.example.')


@zone('nsec', 'bad', 'nsec-next')
def nsec_not_closed(z):
    z.set_nsec('www.example.', next_name='zz.example.')


@zone('nsec', 'bad', 'nsec-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec_type_missing(z):
    z.set_nsec('mail.example.', minus=['AAAA'])


@zone('nsec', 'bad', 'nsec-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec_type_too_many(z):
    z.set_nsec('mail.example.', plus=['TYPE300'])


@zone('nsec', 'bad', 'nsec-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec_rrsig_bit_missing(z):
    z.set_nsec('mail.example.', minus=['RRSIG'])


@zone('nsec', 'bad', 'nsec-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec_nsec_bit_missing(z):
    z.set_nsec('mail.example.', minus=['NSEC'])


@zone('nsec', 'bad', 'nsec-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec_cut_with_glue_type(z):
    z.add('secure.example.', 3600, 'A', '192.0.2.66')
    z.set_nsec('secure.example.', plus=['A'])


@zone('nsec', 'bad', 'nsec-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec_cut_without_ds_type(z):
    z.set_nsec('secure.example.', minus=['DS'])


@zone('nsec', 'bad', 'nsec-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec_cut_without_ns_type(z):
    z.set_nsec('insecure.example.', minus=['NS'])


@zone('nsec', 'bad', 'nsec-stray')
def nsec_at_glue(z):
    after = z.one('secure.example.', 'NSEC').rdata.split()[0]
    z.set_nsec('secure.example.', next_name='ns.secure.example.')
    z.add_nsec('ns.secure.example.', after, 'A RRSIG NSEC')


@zone('nsec', 'bad', 'nsec-stray')
def nsec_at_glue_not_linked(z):
    after = z.one('secure.example.', 'NSEC').rdata.split()[0]
    z.add_nsec('ns.secure.example.', after, 'A RRSIG NSEC')


@zone('nsec', 'bad', 'nsec-several')
def nsec_two(z):
    z.add('mail.example.', 1800, 'NSEC', 'nothing.example. A AAAA RRSIG NSEC')
    z.resign('mail.example.', 'NSEC')


@zone('nsec', 'good', 'chain-ttl')
def nsec_ttl(z):
    z.one('mail.example.', 'NSEC').ttl = 3600
    z.resign('mail.example.', 'NSEC')


@zone('nsec', 'bad', 'unsigned')
def nsec_unsigned(z):
    z.drop_sigs('mail.example.', 'NSEC')


@zone('nsec', 'bad', 'no-chain')
def nsec_none(z):
    for r in [r for r in z.records if r.type == 'NSEC']:
        z.drop(r.owner, 'NSEC')


@zone('nsec', 'bad', 'cname-other-data', differ='ldns',
      why='other types MUST NOT be present (RFC 4035 §2.5)')
def cname_with_data(z):
    z.add('alias.example.', 3600, 'TXT', '"x"')
    z.sign('alias.example.', 'TXT')
    z.set_nsec('alias.example.', types=['CNAME', 'TXT', 'RRSIG', 'NSEC'])


@zone('nsec', 'good', 'below-dname', differ='knot',
      why='not to be there (RFC 6672 §2.4), but never seen, so all answers validate')
def below_dname(z):
    z.add('a.dname.example.', 3600, 'TXT', '"x"')


@zone('nsec', 'bad', 'nsec3-stray', differ='bind',
      why='no NSEC3PARAM record announces its chain (RFC 5155 §7.1)')
def nsec3_record_in_nsec_zone(z):
    nsec3_stray_other_params(z)


@zone('nsec', 'bad', 'nsec3-missing', differ='ldns',
      why='the chain of an NSEC3PARAM record must be complete (RFC 5155 §4)')
def nsec3param_without_chain(z):
    z.add('example.', 0, 'NSEC3PARAM', '1 0 0 -')
    z.sign('example.', 'NSEC3PARAM')
    z.set_nsec('example.', plus=['NSEC3PARAM'])


# --- NSEC3 ---


@zone('nsec3', 'bad', 'nsec3-missing')
def nsec3_missing_name(z):
    z.cut_nsec3('mail.example.')


@zone('nsec3', 'bad', 'nsec3-missing')
def nsec3_missing_not_closed(z):
    z.drop(z.nsec3('mail.example.'), 'NSEC3')


@zone('nsec3', 'bad', 'nsec3-missing', differ='ldns',
      why='empty non-terminals MUST have one (RFC 5155 §7.1)')
def nsec3_missing_ent(z):
    z.cut_nsec3('ent.deep.example.')


@zone('nsec3', 'bad', 'nsec3-missing')
def nsec3_missing_secure_cut(z):
    z.cut_nsec3('secure.example.')


@zone('nsec3', 'bad', 'nsec3-opt-out', differ='bind',
      why='without the opt-out flag every delegation has one (RFC 5155 §6, §7.1)')
def nsec3_missing_insecure_cut(z):
    z.cut_nsec3('insecure.example.')


@zone('nsec3', 'bad', 'nsec3-missing')
def nsec3_missing_apex(z):
    z.cut_nsec3('example.')


@zone('nsec3', 'bad', 'nsec3-next')
def nsec3_wrong_next(z):
    z.set_nsec(z.nsec3('mail.example.'), next_name='0' * 32)


@zone('nsec3', 'bad', 'nsec3-next')
def nsec3_next_skips(z):
    chain = z.nsec3_chain()
    z.set_nsec(chain[1], next_name=chain[3].split('.')[0])


@zone('nsec3', 'bad', 'nsec3-next')
def nsec3_not_closed(z):
    z.set_nsec(z.nsec3_chain()[-1], next_name='V' * 32)


@zone('nsec3', 'bad', 'nsec3-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec3_type_missing(z):
    z.set_nsec(z.nsec3('mail.example.'), minus=['AAAA'])


@zone('nsec3', 'bad', 'nsec3-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec3_type_too_many(z):
    z.set_nsec(z.nsec3('mail.example.'), plus=['TYPE300'])


@zone('nsec3', 'bad', 'nsec3-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec3_ent_types(z):
    z.set_nsec(z.nsec3('ent.deep.example.'), plus=['A'])


@zone('nsec3', 'bad', 'nsec3-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec3_insecure_cut_rrsig_bit(z):
    z.set_nsec(z.nsec3('insecure.example.'), plus=['RRSIG'])


@zone('nsec3', 'bad', 'nsec3-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def nsec3_bit_nsec3(z):
    z.set_nsec(z.nsec3('mail.example.'), plus=['NSEC3'])


@zone('nsec3', 'bad', 'nsec3-missing', differ='ldns',
      why='the chain of an NSEC3PARAM record must be complete (RFC 5155 §4)')
def nsec3_wrong_iterations_param(z):
    z.set_word('example.', 'NSEC3PARAM', 2, '1')


@zone('nsec3', 'bad', 'nsec3-missing', differ='ldns',
      why='the record does not belong to the chain (RFC 5155 §7.1)')
def nsec3_wrong_salt_record(z):
    z.set_word(z.nsec3('mail.example.'), 'NSEC3', 3, 'AB')


@zone('nsec3', 'bad', 'no-chain', differ='ldns',
      why='servers cannot tell which chain to use (RFC 5155 §4)')
def nsec3_no_param(z):
    z.set_nsec(z.nsec3('example.'), minus=['NSEC3PARAM'])
    z.drop('example.', 'NSEC3PARAM')


@zone('nsec3', 'bad', 'no-chain', differ='ldns bind knot',
      why='an NSEC3PARAM record with flags MUST be ignored (RFC 5155 §4.1.2)')
def nsec3_param_flags(z):
    z.set_word('example.', 'NSEC3PARAM', 1, '1')


@zone('nsec3', 'bad', 'nsec3-stray', differ='knot',
      why='the record proves that a name is there that is not (RFC 5155 §7.1)')
def nsec3_stray_in_chain(z):
    z.put_nsec3('nothing.example.', 'A RRSIG')


@zone('nsec3', 'bad', 'nsec3-stray')
def nsec3_stray_not_linked(z):
    owner = z.nsec3('nothing.example.')
    z.add(owner, 1800, 'NSEC3', '1 0 0 - %s A RRSIG' % ('0' * 32))
    z.sign(owner, 'NSEC3')


@zone('nsec3', 'bad', 'nsec3-stray', differ='bind',
      why='no NSEC3PARAM record announces its chain (RFC 5155 §7.1)')
def nsec3_stray_other_params(z):
    owner = '0' * 31 + 'a.example.'
    z.add(owner, 1800, 'NSEC3', '1 0 3 AB %s A RRSIG' % ('0' * 32))
    z.sign(owner, 'NSEC3')


@zone('nsec3', 'bad', 'nsec3-stray')
def nsec3_for_glue(z):
    z.put_nsec3('ns.secure.example.', 'A RRSIG')


@zone('nsec3', 'bad', 'nsec3-flags', differ='ldns bind knot',
      why='validators MUST ignore the record (RFC 5155 §8.2), so it is as good as missing')
def nsec3_flag_unknown(z):
    z.set_word(z.nsec3('mail.example.'), 'NSEC3', 1, '2')


@zone('nsec3', 'good', None)
def nsec3_optout_flag_needless(z):
    z.set_word(z.nsec3('mail.example.'), 'NSEC3', 1, '1')


@zone('nsec3', 'bad', 'unsigned')
def nsec3_unsigned(z):
    z.drop_sigs(z.nsec3('mail.example.'), 'NSEC3')


@zone('nsec3', 'good', 'chain-ttl')
def nsec3_ttl(z):
    owner = z.nsec3('mail.example.')
    z.one(owner, 'NSEC3').ttl = 3600
    z.resign(owner, 'NSEC3')


@zone('nsec3', 'bad', 'nsec-stray', differ='ldns',
      why='an NSEC record that no chain leads to')
def nsec3_with_stray_nsec(z):
    z.add('mail.example.', 1800, 'NSEC', 'ns.example. A AAAA RRSIG NSEC')
    z.sign('mail.example.', 'NSEC')


@zone('nsec3', 'bad', 'nsec3-missing')
def nsec3_other_data_at_owner(z):
    owner = z.nsec3('mail.example.')
    z.add(owner, 1800, 'TXT', '"x"')
    z.sign(owner, 'TXT')


@zone('nsec3', 'bad', 'nsec3-missing')
def nsec3_name_added(z):
    z.add('new.example.', 3600, 'TXT', '"x"')
    z.sign('new.example.', 'TXT')


# --- opt-out ---


@zone('optout', 'bad', 'nsec3-opt-out', differ='ldns',
      why='it proves that there is no delegation (RFC 5155 §6)')
def optout_flag_missing_at_cover(z):
    z.set_word(z.nsec3_cover('insecure.example.'), 'NSEC3', 1, '0')


@zone('optout', 'good', None)
def optout_flag_missing_elsewhere(z):
    opted = [z.nsec3_cover(n) for n in ('insecure.example.', 'sub.only.example.', 'only.example.')]
    z.set_word([o for o in z.nsec3_chain() if o not in opted][0], 'NSEC3', 1, '0')


@zone('optout', 'bad', 'nsec3-missing')
def optout_secure_cut_missing(z):
    z.cut_nsec3('secure.example.')


@zone('optout', 'bad', 'nsec3-missing', differ='ldns',
      why='empty non-terminals of secure names MUST have one (RFC 5155 §7.1)')
def optout_ent_missing(z):
    z.cut_nsec3('ent.deep.example.')


@zone('optout', 'bad', 'nsec3-missing')
def optout_name_missing(z):
    z.cut_nsec3('mail.example.')


@zone('optout', 'good', None)
def optout_cut_included(z):
    z.put_nsec3('insecure.example.', 'NS')


@zone('optout', 'good', None)
def optout_ent_of_insecure_included(z):
    z.put_nsec3('only.example.', '')


@zone('optout', 'bad', 'nsec3-types', differ='ldns',
      why='ldns-verify-zone does not look at type bitmaps (RFC 4034 §4.1.2, RFC 5155 §7.1)')
def optout_insecure_cut_wrong_bitmap(z):
    z.put_nsec3('insecure.example.', 'NS DS RRSIG')


# --- ZONEMD ---


@zone('zonemd', 'bad', 'zonemd-digest', differ='bind knot',
      why='dnssec-verify and kzonecheck do not look at digests (RFC 8976 §4)')
def zonemd_wrong_digest(z):
    z.set_word('example.', 'ZONEMD', 3, '00' * 48)


@zone('zonemd', 'bad', 'zonemd-serial', differ='bind knot',
      why='dnssec-verify and kzonecheck do not look at digests (RFC 8976 §4)')
def zonemd_wrong_serial(z):
    z.set_word('example.', 'ZONEMD', 0, '2021')


@zone('zonemd', 'bad', 'zonemd-unknown', differ='bind knot',
      why='dnssec-verify and kzonecheck do not look at digests (RFC 8976 §4)')
def zonemd_unknown_scheme(z):
    z.set_word('example.', 'ZONEMD', 1, '240')


@zone('zonemd', 'bad', 'zonemd-unknown', differ='bind knot',
      why='dnssec-verify and kzonecheck do not look at digests (RFC 8976 §4)')
def zonemd_unknown_hash(z):
    z.set_word('example.', 'ZONEMD', 2, '240')


@zone('zonemd', 'good', None)
def zonemd_extra_unknown_scheme(z):
    z.add('example.', 3600, 'ZONEMD', '2020 240 1 ' + '00' * 48)
    z.set_zonemd()


@zone('zonemd', 'bad', 'zonemd-twice', differ='bind knot',
      why='dnssec-verify and kzonecheck do not look at digests (RFC 8976 §4)')
def zonemd_duplicate(z):
    z.add('example.', 3600, 'ZONEMD', '2020 1 1 ' + '00' * 48)
    z.resign('example.', 'ZONEMD')


@zone('zonemd', 'bad', 'unsigned')
def zonemd_unsigned(z):
    z.drop_sigs('example.', 'ZONEMD')


@zone('zonemd', 'bad', 'zonemd-digest', differ='bind knot',
      why='dnssec-verify and kzonecheck do not look at digests (RFC 8976 §4)')
def zonemd_zone_changed(z):
    z.find('ns.insecure.example.', 'A')[0].rdata = '192.0.2.77'

