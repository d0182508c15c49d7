"""What a meter is asked for, as generators that both clients drive: sessions, tables, procedures, meaning."""
