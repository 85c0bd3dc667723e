#if PostgreSQL
  /// What the schema of a ledger is, read from the catalogs, and how it is replaced.
  extension ServerStatements {
    /// A line for each object of the schema: its name, a tab, and a digest of what the catalogs say
    /// of it. NULL where there is no schema.
    ///
    /// The same on every version, for every role and search_path: names in place of numbers, and no
    /// name of the schema. `pg_catalog` stands before what another function could fit better, if
    /// somebody made one on the search path of an operator, whose rights it would have. Deparsed
    /// are triggers, constraints, indexes and defaults, whose texts have not changed in many
    /// versions, and views, whose texts have; those are left out on a version later than the last
    /// that was tried. A privilege by which nobody can break a rule (`is_harmless`) may be given to
    /// roles of the operator's own.
    static let fingerprint = """
      WITH place AS (
        SELECT n.oid, n.nspowner, n.nspacl FROM pg_namespace AS n WHERE n.nspname = 'tradeledger'
      ), relation AS (
        SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl, ROW(c.relpersistence,
            c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
            EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = c.oid))::text AS facts,
          pg_catalog.concat(CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view'
            WHEN 'c' THEN 'type' WHEN 'S' THEN 'sequence' ELSE c.relkind::text END, ' ', c.relname)
            AS object
        FROM pg_class AS c JOIN place AS p ON p.oid = c.relnamespace WHERE c.relkind <> 'i'
      ), thing (object, facts, owner, acl, is_harmless) AS (
        SELECT 'schema tradeledger', '', p.nspowner,
          COALESCE(p.nspacl, pg_catalog.acldefault('n', p.nspowner)), true
        FROM place AS p
        UNION ALL
        SELECT 'role tradeledger_worker', ROW(r.rolsuper, r.rolcreaterole, r.rolcreatedb,
          r.rolreplication, r.rolbypassrls, (
            SELECT bool_or(pg_has_role(r.oid, g.oid, 'MEMBER')) FROM pg_roles AS g
            WHERE g.oid = p.nspowner OR g.rolname IN ('pg_read_all_data', 'pg_write_all_data')
          ))::text, NULL, NULL, true
        FROM pg_roles AS r, place AS p WHERE r.rolname = 'tradeledger_worker'
        UNION ALL
        SELECT r.object, pg_catalog.concat(r.facts, c.facts), r.relowner,
          CASE WHEN r.relkind <> 'c' THEN COALESCE(r.relacl, pg_catalog.acldefault(
            CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner)) END, r.relkind = 'v'
        FROM relation AS r CROSS JOIN LATERAL (
          SELECT string_agg(ROW(a.attname, a.atttypid::regtype, a.atttypmod, a.attnotnull,
              a.attidentity, a.attgenerated, a.attcollation::regcollation, a.attacl,
              pg_get_expr(d.adbin, d.adrelid))::text, ','
            ORDER BY CASE r.relkind WHEN 'r' THEN 0 ELSE a.attnum END, a.attname) AS facts
          FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid
            AND d.adnum = a.attnum
          WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped) AS c
        UNION ALL
        SELECT r.object, ROW(s.seqtypid, s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
          s.seqcache, s.seqcycle)::text, NULL, NULL, true
        FROM relation AS r JOIN pg_sequence AS s ON s.seqrelid = r.oid
        UNION ALL
        SELECT pg_catalog.concat('function ', f.proname), ROW(f.prokind, l.lanname, f.prosecdef,
            f.proisstrict, f.proretset, f.provolatile, f.proconfig, f.prorettype::regtype,
            COALESCE(f.proallargtypes, f.proargtypes::oid[])::regtype[], f.proargnames,
            f.proargmodes, pg_get_expr(f.proargdefaults, 0::oid), f.prosrc,
            f.prosqlbody IS NULL)::text,
          f.proowner, COALESCE(f.proacl, pg_catalog.acldefault('f', f.proowner)), true
        FROM pg_proc AS f JOIN place AS p ON p.oid = f.pronamespace
        JOIN pg_language AS l ON l.oid = f.prolang
        UNION ALL
        SELECT pg_catalog.concat('trigger ', t.tgname, ' on ', r.relname),
          pg_catalog.concat(t.tgenabled, pg_get_triggerdef(t.oid)), NULL, NULL, true
        FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
        UNION ALL
        SELECT pg_catalog.concat('constraint ', k.conname, ' on ', r.relname),
          pg_catalog.concat(k.convalidated, pg_get_constraintdef(k.oid), (
            SELECT string_agg(t.tgenabled::text, '' ORDER BY t.tgenabled) FROM pg_trigger AS t
            WHERE t.tgconstraint = k.oid)), NULL, NULL, true
        FROM relation AS r JOIN pg_constraint AS k ON k.conrelid = r.oid WHERE k.contype <> 'n'
        UNION ALL
        SELECT pg_catalog.concat('index ', x.indexrelid::regclass),
          pg_catalog.concat(x.indisvalid, x.indisready, pg_get_indexdef(x.indexrelid)), NULL, NULL,
          true
        FROM relation AS r JOIN pg_index AS x ON x.indrelid = r.oid
        UNION ALL
        SELECT pg_catalog.concat('rule ', w.rulename, ' on ', r.relname), w.ev_enabled::text, NULL,
          NULL, true
        FROM relation AS r JOIN pg_rewrite AS w ON w.ev_class = r.oid
        WHERE r.relkind <> 'v' OR w.rulename <> '_RETURN'
        UNION ALL
        SELECT pg_catalog.concat('operator ', o.oprname), '', NULL, NULL, true
        FROM pg_operator AS o JOIN place AS p ON p.oid = o.oprnamespace
        UNION ALL
        SELECT pg_catalog.concat('text of ', r.object),
          regexp_replace(pg_get_viewdef(r.oid), '[[:space:]]+|[a-z_]+[.]', '', 'g'), NULL, NULL,
          true
        FROM relation AS r
        WHERE r.relkind = 'v' AND current_setting('server_version_num')::integer < 190000
      )
      SELECT string_agg(pg_catalog.concat(o.object, chr(9), o.digest), chr(10)
        ORDER BY o.object COLLATE "C")
      FROM (
        SELECT u.object, left(encode(sha256(pg_catalog.convert_to(string_agg(u.facts, chr(10)
          ORDER BY u.facts COLLATE "C"), 'UTF8')), 'hex'), 32) AS digest
        FROM thing AS t CROSS JOIN LATERAL (
          SELECT string_agg(
            pg_catalog.concat(' ', w.who, ' ', a.privilege_type, a.is_grantable), ','
            ORDER BY w.who, a.privilege_type COLLATE "C") AS grants
          FROM aclexplode(t.acl) AS a CROSS JOIN LATERAL (
            SELECT CASE a.grantee WHEN 0::oid THEN 'PUBLIC'
              ELSE pg_get_userbyid(a.grantee) END AS who
          ) AS w
          WHERE a.grantee <> t.owner AND (w.who IN ('PUBLIC', 'tradeledger_worker')
            OR NOT t.is_harmless OR a.privilege_type NOT IN ('SELECT', 'USAGE', 'EXECUTE'))
        ) AS g CROSS JOIN LATERAL (
          SELECT replace(t.object, 'tradeledger.', '') AS object,
            pg_catalog.concat(replace(t.facts, 'tradeledger.', ''), pg_get_userbyid(t.owner),
              g.grants) AS facts
        ) AS u
        GROUP BY u.object
      ) AS o
      """

    // MARK: Replacing it

    /// The layout without calling `layout()`, which may be gone (NULL), and the fingerprint.
    static let installed = """
      SELECT (SELECT max((regexp_match(prosrc, '[0-9]+'))[1]::bigint) FROM pg_proc
        WHERE proname = 'layout' AND pronamespace = to_regnamespace('tradeledger')::oid),
        (\(fingerprint))
      """
    /// As the owner. `bots` comes first: most of those who trade lock it first, and wait there.
    /// Who waits for it with another lock in hand stands in the way of this; the time limit makes
    /// this give way before the server takes the two for a deadlock.
    static func beginUpgrade(milliseconds: Int) -> String {
      """
      SET LOCAL lock_timeout = \(milliseconds);
      SET LOCAL ROLE tradeledger_owner;
      SET LOCAL search_path = tradeledger, pg_temp;
      DO $$
      DECLARE
        v_table text;
      BEGIN
        FOR v_table IN SELECT oid::regclass FROM pg_class
          WHERE relnamespace = 'tradeledger'::regnamespace AND relkind = 'r'
            AND relowner = 'tradeledger_owner'::regrole
          ORDER BY relname <> 'bots', relname
        LOOP
          EXECUTE 'LOCK TABLE ' || v_table || ' IN ACCESS EXCLUSIVE MODE';
        END LOOP;
      END
      $$;
      SET LOCAL lock_timeout = 0
      """
    }
    /// What roles of the operator's own were given of things that are made anew: the object, and
    /// the statement that gives it again.
    static let grants = """
      SELECT o.object, format('GRANT %s ON %s TO %I', a.privilege_type, o.target, r.rolname)
      FROM (
        SELECT concat('view ', relname) AS object, oid::regclass::text AS target, relacl AS acl
        FROM pg_class WHERE relkind = 'v' AND relnamespace = 'tradeledger'::regnamespace
        UNION ALL
        SELECT concat('function ', proname), concat('FUNCTION ', oid::regproc), proacl
        FROM pg_proc WHERE pronamespace = 'tradeledger'::regnamespace
      ) AS o CROSS JOIN LATERAL aclexplode(o.acl) AS a JOIN pg_roles AS r ON r.oid = a.grantee
      WHERE r.rolname NOT IN ('tradeledger_owner', 'tradeledger_worker')
        AND a.privilege_type IN ('SELECT', 'EXECUTE')
      """
    /// Everything goes but tables, their indexes and sequences, and what was granted on those. What
    /// others have built on it (CASCADE) does not: then nothing goes.
    static let dropRules = """
      DO $$
      DECLARE
        v_statement text;
      BEGIN
        FOR v_statement IN
          WITH relation AS (
            SELECT * FROM pg_class WHERE relnamespace = 'tradeledger'::regnamespace
          ), step (n, statement) AS (
            SELECT 1, format('DROP TRIGGER %I ON %s', t.tgname, r.oid::regclass)
            FROM pg_trigger AS t JOIN relation AS r ON r.oid = t.tgrelid
            WHERE r.relkind = 'r' AND NOT t.tgisinternal
            UNION ALL
            SELECT 2, format('DROP RULE %I ON %s', w.rulename, r.oid::regclass)
            FROM pg_rewrite AS w JOIN relation AS r ON r.oid = w.ev_class
            WHERE w.rulename <> '_RETURN'
            UNION ALL
            SELECT 3, 'DROP VIEW ' || string_agg(oid::regclass::text, ', ') FROM relation
            WHERE relkind = 'v'
            UNION ALL
            SELECT 4, 'DROP ROUTINE ' || string_agg(oid::regprocedure::text, ', ') FROM pg_proc
            WHERE pronamespace = 'tradeledger'::regnamespace
            UNION ALL
            SELECT 5, 'DROP TYPE ' || string_agg(oid::regclass::text, ', ') FROM relation
            WHERE relkind = 'c'
            UNION ALL
            SELECT DISTINCT 6, format('REVOKE ALL ON %s %s FROM %s', o.kind, o.name,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
            FROM (
              SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
                oid::regclass::text AS name, relacl AS acl, relowner AS owner
              FROM relation WHERE relkind IN ('r', 'S')
              UNION ALL
              SELECT CASE r.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                r.oid::regclass::text, c.attacl, r.relowner
              FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid
              WHERE r.relkind = 'r' AND c.attacl IS NOT NULL
              UNION ALL
              SELECT 'SCHEMA', nspname, nspacl, nspowner FROM pg_namespace
              WHERE nspname = 'tradeledger'
            ) AS o CROSS JOIN LATERAL aclexplode(o.acl) AS a
            WHERE a.grantee <> o.owner AND (o.kind <> 'SCHEMA' OR a.grantee = 0
              OR a.privilege_type <> 'USAGE' OR a.grantee = 'tradeledger_worker'::regrole)
          )
          SELECT statement FROM step WHERE statement IS NOT NULL ORDER BY n
        LOOP
          EXECUTE v_statement;
        END LOOP;
      END
      $$
      """
    /// - Parameter name: as the fingerprint has it.
    static func dropIndex(_ name: some StringProtocol) -> String {
      "DROP INDEX IF EXISTS tradeledger.\(name)"
    }
    /// What the admissions knew is forgotten: that was under other rules.
    static let forget = "UPDATE tradeledger.bots SET free_at = 9223372036854775807"

    /// What has to be done to the tables of each layout to make them those of the next one.
    static let layoutSteps: [Int64: String] = [:]
  }
#endif
