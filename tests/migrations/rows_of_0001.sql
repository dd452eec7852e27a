-- One case with everything that hangs on it, as the schema of revision 0001 holds it: every table has a row.
-- A later revision that adds a column which may not be NULL must cope with these.
INSERT INTO ministry (id, slug, name_en, name_bn, valid_from) VALUES
    (1, 'social-welfare', 'Ministry of Social Welfare', 'সমাজকল্যাণ মন্ত্রণালয়', '1971-03-26');
INSERT INTO cluster (id, slug, name_en, name_bn, coordinator_ministry_id, valid_from) VALUES
    (1, 'social-allowance', 'Social allowance', 'সামাজিক ভাতা', 1, '1971-03-26');
INSERT INTO cluster_ministry (cluster_id, ministry_id, is_primary, valid_from) VALUES (1, 1, true, '1971-03-26');
INSERT INTO place (id, code, kind, name_en, name_bn, parent_id, valid_from) VALUES
    (1, '30', 'division', 'Dhaka', 'ঢাকা', NULL, '1971-03-26'),
    (2, '3026', 'district', 'Dhaka', 'ঢাকা', 1, '1971-03-26');
INSERT INTO office (id, code, kind, name_en, name_bn, ministry_id, district_id, valid_from) VALUES
    (1, 'social-welfare', 'ministry', 'Ministry of Social Welfare', 'সমাজকল্যাণ মন্ত্রণালয়', 1, NULL, '1971-03-26'),
    (2, 'dc-dhaka', 'district', 'DC office, Dhaka', 'জেলা প্রশাসকের কার্যালয়, ঢাকা', NULL, 2, '1971-03-26');
INSERT INTO officer (id, username, password_hash, name_bn, name_en, email, created_at) VALUES
    (1, 'gro.social-welfare', 'x', 'রহিমা খাতুন', 'Rahima Khatun', 'gro@example.org', '2026-01-04 04:00+00');
INSERT INTO post (id, office_id, code, role, name_en, name_bn, rank, valid_from) VALUES
    (1, 1, 'gro', 'gro', 'Grievance redress officer', 'অভিযোগ নিষ্পত্তি কর্মকর্তা', 3, '1971-03-26');
INSERT INTO posting (post_id, officer_id, starts_on) VALUES (1, 1, '2026-01-01');
INSERT INTO programme (id, slug, name_en, name_bn, ministry_id, lifecycle_stage, kind, valid_from) VALUES
    (1, 'old-age-allowance', 'Old Age Allowance', 'বয়স্ক ভাতা', 1, 'old_age', 'cash', '1971-03-26');
INSERT INTO category (id, slug, name_en, name_bn, description_en, description_bn, sensitivity, position, valid_from)
    VALUES (1, 'payment-missing', 'Payment missing', 'টাকা পাইনি', '', '', 'normal', 1, '1971-03-26');
INSERT INTO alias (kind, code, name, search_key, valid_from) VALUES
    ('programme', 'old-age-allowance', 'বয়স্ক', 'বয়স্ক', '1971-03-26');
INSERT INTO reference_edition (id, edition, source_hash) VALUES (1, 1, 'abc');
INSERT INTO routing_rule (id, code, programme, office_id, desk, source, valid_from) VALUES
    (1, 'old-age-allowance', 'old-age-allowance', 1, 'gro', 'GRS Guidelines', '1971-03-26');
INSERT INTO calendar_edition (id, created_at, source, note, covered_until) VALUES
    (1, '2026-01-01 00:00+00', 'seed', '', '2027-12-31');
INSERT INTO calendar_day (day, kind, name_bn, name_en, source, added_in) VALUES
    ('2026-02-21', 'holiday', 'শহীদ দিবস', 'Martyrs'' Day', 'gazette', 1);
INSERT INTO weekend_rule (valid_from, weekdays, source) VALUES ('2005-09-09', '{4,5}', 'gazette');
INSERT INTO deadline_policy (id, code, kind, "limit", unit, source, valid_from) VALUES
    (1, 'resolve', 'resolve', 30, 'working_days', 'GRS Guidelines', '1971-03-26');
INSERT INTO ladder_rung (deadline_kind, level, offset_working_days, role, source) VALUES ('resolve', 1, 0, 'gro', 'own');
INSERT INTO submission (id, key, sealed, channel, received_at) VALUES (1, '\x01', '\x02', 'web', '2026-02-01 05:00+00');
INSERT INTO draft (token_hash, sealed, updated_at, expires_at) VALUES
    ('\x03', '\x04', '2026-02-01 05:00+00', '2026-02-04 05:00+00');
INSERT INTO cases (id, tracking_number, secret_mac, submission_id, status, tier, level, version, office_id, desk,
                   routing_rule_id, programme_id, category_id, district_id, place, details, is_sensitive, is_anonymous,
                   has_accused, about, channel, language, preferred_channel, filed_at, received_on, due_on, due_at,
                   history_length, history_head) VALUES
    (1, '7KX3M9PQRT2WA', '\x05', 1, 'filed', 'gro', 1, 1, 1, 'gro', 1, 1, 1, 2, 'ডেমরা', 'ছয় মাস ভাতা পাইনি',
     false, false, true, 'none', 'web', 'bn', 'sms', '2026-02-01 05:00+00', '2026-02-01', '2026-03-16',
     '2026-03-16 18:00+00', 1, '\x06');
INSERT INTO complainant (case_id, role, name_sealed, phone_sealed, phone_index) VALUES
    (1, 'complainant', '\x07', '\x08', '\x09');
INSERT INTO accused (case_id, office_id) VALUES (1, 2);
INSERT INTO case_event (case_id, seq, kind, at, actor_kind, data, previous_hash, hash) VALUES
    (1, 1, 'filed', '2026-02-01 05:00+00', 'complainant', '{"channel": "web"}', '\x', '\x06');
INSERT INTO case_text (case_id, seq, field, body, salt) VALUES (1, 1, 'details', 'ছয় মাস ভাতা পাইনি', '\x0a');
INSERT INTO deadline (id, case_id, kind, epoch, policy_id, calendar_version, started_at, due_on, due_at, state,
                      next_level, next_rung_at) VALUES
    (1, 1, 'resolve', 1, 1, 1, '2026-02-01 05:00+00', '2026-03-16', '2026-03-16 18:00+00', 'breached', 2,
     '2026-03-24 18:00+00');
INSERT INTO deadline_pause (deadline_id, from_at, until_at, ends_by_at, reason) VALUES
    (1, '2026-02-02 05:00+00', '2026-02-03 05:00+00', '2026-02-12 05:00+00', 'waiting');
INSERT INTO escalation (case_id, deadline_id, epoch, level, due_at, escalated_at, role, office_id, post_id, officer_id)
    VALUES (1, 1, 1, 1, '2026-03-16 18:00+00', '2026-03-16 18:00+00', 'gro', 1, 1, 1);
INSERT INTO sweep_run (as_of, started_at, counts) VALUES ('2026-03-16 18:00+00', '2026-03-16 18:00+00', '{}');
INSERT INTO message (id, key, template, channel, language, priority, case_id, officer_id, params, next_attempt_at,
                     created_at, expires_at) VALUES
    (1, 'k', 'case-escalated-officer', 'email', 'bn', 2, 1, 1, '{}', '2026-03-16 18:00+00', '2026-03-16 18:00+00',
     '2026-03-19 18:00+00');
INSERT INTO attempt (message_id, number, started_at) VALUES (1, 1, '2026-03-16 18:00+00');
INSERT INTO receipt (message_id, reference, status, detail, received_at) VALUES
    (1, 'r', 'delivered', '', '2026-03-16 18:01+00');
INSERT INTO staff_session (token_hash, officer_id, data, created_at, last_seen_at, expires_at) VALUES
    ('\x0b', 1, '{}', '2026-03-16 18:00+00', '2026-03-16 18:00+00', '2026-03-17 04:00+00');
INSERT INTO audit_entry (stream, seq, kind, at, actor_kind, data, previous_hash, hash) VALUES
    ('admin', 1, 'calendar-imported', '2026-01-01 00:00+00', 'system', '{}', '\x', '\x0c');
INSERT INTO audit_head (stream, length, head) VALUES ('old', 1, '\x02');
INSERT INTO heartbeat (name, at, detail) VALUES ('worker', '2026-03-16 18:00+00', '{}');
INSERT INTO throttle (key, count, window_ends_at) VALUES ('t', 1, '2026-03-16 19:00+00');
