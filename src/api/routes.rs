//! Every route, on one screen. Who may use it: `roles`.

use std::net::TcpListener;

use actix_web::body::BoxBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, delete, get, patch, post, put, resource};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer};

use super::problem::Problem;
use super::roles::{Look, look_up};
use super::{
    Api, agents, assets, clock, contacts, docs, events, explain, guard, health, history, metrics,
    openapi, queues, reports, sessions, tokens, wallboard, ws,
};

/// The application: routes behind guard and shield.
pub fn app(
    api: web::Data<Api>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(api)
        .configure(routes)
        .default_service(web::to(nothing))
        .wrap(from_fn(guard::guard))
        .wrap(from_fn(guard::shield))
        .wrap(from_fn(metrics::count))
}

/// Requests in hand on one worker; those past it wait to be accepted.
pub const CONNECTIONS_PER_WORKER_MAX: usize = 4_096;
/// How long a stop waits for requests in hand, in seconds; then they are cut off.
pub const STOP_SECONDS_MAX: u64 = 4;
/// Threads that answer.
pub const WORKERS: usize = 2;

/// A server on `listener`, not yet polled; what it pushes starts here, on the caller's arbiter.
pub fn serve(api: web::Data<Api>, listener: TcpListener) -> std::io::Result<Server> {
    ws::start(&api);
    let server = HttpServer::new(move || app(api.clone()));
    Ok(server
        .on_connect(ws::on_connect)
        .workers(WORKERS)
        .max_connections(CONNECTIONS_PER_WORKER_MAX)
        .shutdown_timeout(STOP_SECONDS_MAX)
        .disable_signals()
        .listen(listener)?
        .run())
}

#[rustfmt::skip]
fn routes(app: &mut ServiceConfig) {
    let v1 = |path: &str| resource(format!("/api/v1{path}"));
    let contact = |path: &str| resource(format!("/api/v1/contacts/{{id}}{path}"));
    app.service(resource("/health/live").route(get().to(health::live)))
        .service(resource("/health/ready").route(get().to(health::ready)))
        .service(resource("/metrics").route(get().to(metrics::scrape)))
        .service(resource("/api/openapi.json").route(get().to(openapi::one)))
        .service(resource("/api/docs").route(get().to(docs::page)))
        .service(resource("/ws").route(get().to(ws::connect)))
        .service(v1("/wallboard").route(get().to(wallboard::one)))
        .service(v1("/reports/intervals").route(get().to(reports::intervals)))
        .service(v1("/agents").route(get().to(agents::list)))
        .service(v1("/agents/{id}").route(get().to(agents::one)).route(put().to(agents::put)))
        .service(v1("/agents/{id}/presence").route(post().to(agents::presence)))
        .service(v1("/agents/{id}/offers/{offer}/accept").route(post().to(agents::accept)))
        .service(v1("/agents/{id}/offers/{offer}/reject").route(post().to(agents::reject)))
        .service(v1("/queues").route(get().to(queues::list)))
        .service(v1("/queues/{id}").route(get().to(queues::one)).route(put().to(queues::put)))
        .service(v1("/queues/{id}/open").route(post().to(queues::open)))
        .service(v1("/queues/{id}/close").route(post().to(queues::close)))
        .service(v1("/queues/{id}/waiting").route(get().to(queues::waiting)))
        .service(v1("/contacts").route(get().to(contacts::list)).route(post().to(contacts::create)))
        .service(contact("").route(get().to(contacts::one)).route(patch().to(contacts::patch)))
        .service(contact("/abandon").route(post().to(contacts::abandon)))
        .service(contact("/hold").route(post().to(contacts::hold)))
        .service(contact("/resume").route(post().to(contacts::resume)))
        .service(contact("/complete").route(post().to(contacts::complete)))
        .service(contact("/end").route(post().to(contacts::end)))
        .service(contact("/wrap_up").route(post().to(contacts::wrap_up)))
        .service(contact("/extend_wrap_up").route(post().to(contacts::extend_wrap_up)))
        .service(v1("/clock").route(post().to(clock::advance)))
        .service(contact("/history").route(get().to(history::list)))
        .service(contact("/explain").route(get().to(explain::one)))
        .service(v1("/events").route(get().to(events::list)))
        .service(v1("/tokens").route(get().to(tokens::list)).route(post().to(tokens::create)))
        .service(v1("/tokens/{id}").route(delete().to(tokens::end)))
        .service(resource("/enter").route(get().to(sessions::enter)))
        .service(v1("/sessions").route(post().to(sessions::create)))
        .service(v1("/sessions/current").route(delete().to(sessions::end)));
    assets::configure(app);
}

/// Nothing here. The guard has let through only what the table of roles has, so that a path of the
/// API that comes this far is a route that was forgotten: our fault, and not a 404.
async fn nothing(req: HttpRequest) -> Result<HttpResponse, Problem> {
    match look_up(req.method().as_str(), req.path()) {
        Look::NoPath => Err(Problem::not_found("path")),
        Look::Line(_) | Look::OtherMethods(_) => {
            tracing::error!(method = %req.method(), path = req.path(), "a route is missing");
            Err(Problem::internal())
        }
    }
}
