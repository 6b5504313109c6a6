//! A product whose parts are not public.
