/// What is done to the ledger, in pgbench's language: the same load generator as the raw limit's, so that only the
/// server's work differs. Members are those with the numbers 1 to `:members`.
extension Load {
    static let batchSize = 500

    // MARK: One by one

    /// A receipt a transaction.
    static let earn = Load("earn", [(1, Self.earnScript)])
    /// A hold and its capture, each in a transaction of its own as a till does it. One operation is both.
    static let spend = Load("spend", [(1, Self.spendScript)])
    /// Seven receipts, two payments and a payment given up.
    static let mixed = Load("mixed", [(7, Self.earnScript), (2, Self.spendScript), (1, Self.giveUpScript)])

    private static let earnScript = """
        \\set member random(1, :members)
        \\set number random(1, 9000000000000000000)
        select outcome
        from ledger.post_receipts(
            now(), array[lpad(to_hex(:number::bigint), 32, '0')::uuid], array[md5(:member::text)::uuid],
            array[:number::bigint % 9999999999999999], array[1 + :number::bigint % 9999999999],
            array[:number::bigint % 4294967295], array['bench'], array[123400::bigint], array[now()],
            array[1::bigint], array[1], array['regular'], array[12::bigint], array['base']);
        """

    private static let spendScript =
        hold + """

            select refusal from ledger.end_hold(
                lpad(to_hex(:number::bigint), 32, '0')::uuid, md5(:member::text)::uuid, null, now());
            """

    private static let giveUpScript =
        hold + """

            select refusal from ledger.end_hold(
                lpad(to_hex(:number::bigint), 32, '0')::uuid, md5(:member::text)::uuid, 0, now());
            """

    private static let hold = """
        \\set member random(1, :members)
        \\set number random(1, 9000000000000000000)
        select refusal from ledger.place_hold(
            lpad(to_hex(:number::bigint), 32, '0')::uuid, md5(:member::text)::uuid, 5, 'till',
            now() + interval '10 minutes', now());
        """

    // MARK: Many at a time

    /// The call that the handler of receipts makes: 500 receipts in one statement.
    static let earnBatch = Load(
        "earn", [(1, Self.earnBatchScript)], operations: Double(Self.batchSize))
    /// 250 holds and their captures: 500 transfers.
    static let spendBatch = Load("spend", [(1, Self.transfers(earns: 0, spends: 250))], operations: 500)
    /// 300 receipts, 100 holds and their captures, in any order: 500 transfers.
    static let mixedBatch = Load("mixed", [(1, Self.transfers(earns: 300, spends: 100))], operations: 500)

    private static let earnBatchScript = """
        select count(*)
        from (
            select array_agg(receipt) as receipts, array_agg(member) as members, array_agg(fn) as fn,
                array_agg(fd) as fd, array_agg(fpd) as fpd, array_agg('bench'::text) as stores,
                array_agg(123400::bigint) as totals, array_agg(now()) as effective, array_agg(1::bigint) as rulesets,
                array_agg(n) as whose, array_agg('regular'::text) as classes, array_agg(12::bigint) as points,
                array_agg('base'::text) as rules
            from (
                select n, gen_random_uuid() as receipt,
                    md5((1 + floor(random() * :members))::integer::text)::uuid as member,
                    floor(random() * 9e15)::bigint as fn, 1 + floor(random() * 9e9)::bigint as fd,
                    floor(random() * 4e9)::bigint as fpd
                from generate_series(1, \(Self.batchSize)) as n
            ) as drawn
        ) as batch,
        lateral ledger.post_receipts(
            now(), receipts, members, fn, fd, fpd, stores, totals, effective, rulesets, whose, classes, points, rules);
        """

    private static func transfers(earns: Int, spends: Int) -> String {
        """
        select count(*)
        from (
            select array_agg(transfer order by place, step) as transfers
            from (
                select n, random() as place, gen_random_uuid() as id,
                    md5((1 + floor(random() * :members))::integer::text)::uuid as member,
                    floor(random() * 9e15)::bigint as fn, 1 + floor(random() * 9e9)::bigint as fd,
                    floor(random() * 4e9)::bigint as fpd
                from generate_series(1, \(earns + spends)) as n
            ) as drawn,
            lateral (values
                (1, case when n <= \(earns) then jsonb_build_object(
                        'kind', 'earn', 'receipt', id, 'member', member,
                        'fiscal', jsonb_build_object('fn', fn::text, 'fd', fd, 'fpd', fpd), 'store', 'bench',
                        'effectiveAt', now(), 'total', 123400, 'ruleset', 1,
                        'accruals', jsonb_build_array(
                            jsonb_build_object('lotClass', 'regular', 'points', 12, 'rule', 'base')))
                    else jsonb_build_object(
                        'kind', 'hold', 'hold', id, 'member', member, 'points', 5, 'purpose', 'till',
                        'expiresInSeconds', 600)
                    end),
                (2, case when n > \(earns) then jsonb_build_object('kind', 'capture', 'hold', id, 'member', member) end)
            ) as asked (step, transfer)
            where transfer is not null
        ) as batch,
        lateral ledger.apply_transfers(transfers, now());
        """
    }
}
